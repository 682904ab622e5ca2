"""The installation's key: what it encrypts needs room; old secrets of hooks; guesses of PINs."""

from peewee import *
from telealarm.models.base import UtcField

# An encrypted text is longer. SQLite takes texts of any length in every column.
WIDER = (
    ("installation", "secret"),
    ("webhook", "secret"),
    ("webhook", "old_secret"),
    ("sms_gateway", "secret"),
)


def up(migrator, db):
    if isinstance(db, PostgresqlDatabase):
        for table, name in WIDER:
            db.execute_sql('ALTER TABLE "%s" ALTER COLUMN "%s" TYPE TEXT' % (table, name))
    check = CharField(max_length=64, null=True)
    migrator.migrate(
        migrator.add_column("installation", "key_check", check),
        migrator.add_column("sms_gateway", "old_secret", TextField(null=True)),
        migrator.add_column("sms_gateway", "old_until", DateTimeField(null=True)),
    )

    class PinGuess(Model):
        digest = CharField(max_length=64)
        withheld = BooleanField()
        at = UtcField(index=True)

        class Meta:
            database = db
            table_name = "pin_guess"
            indexes = ((("digest", "withheld", "at"), False),)

    db.create_tables([PinGuess])


def down(migrator, db):
    migrator.migrate(
        migrator.drop_table("pin_guess"),
        migrator.drop_column("sms_gateway", "old_until"),
        migrator.drop_column("sms_gateway", "old_secret"),
        migrator.drop_column("installation", "key_check"),
    )
