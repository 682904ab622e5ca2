"""The audit log, the erasures, and do-not-call entries of persons who were erased."""

from peewee import *
from telealarm.models.base import UtcField

DIGESTS = ("phone_digest", "e164_digest", "email_digest")


def up(migrator, db):
    for name in DIGESTS:
        column = CharField(max_length=64, null=True, index=True)
        migrator.migrate(migrator.add_column("dnc_contact", name, column))

    class User(Model):
        class Meta:
            database = db
            table_name = "user"

    class AuditEntry(Model):
        owner = ForeignKeyField(User, null=True, on_delete="SET NULL", index=False)
        at = UtcField()
        who = CharField(max_length=150)
        road = CharField(max_length=20)
        token = IntegerField(null=True)
        resource = CharField(max_length=40)
        object_id = IntegerField(null=True)
        action = CharField(max_length=40)
        changes = JSONField()

        class Meta:
            database = db
            table_name = "audit_entry"
            indexes = (
                (("owner", "id"), False),
                (("resource", "object_id", "id"), False),
                (("at", "id"), False),
            )

    class Erasure(Model):
        owner = ForeignKeyField(User, null=True, on_delete="CASCADE")
        uid = CharField(max_length=32, unique=True)
        digests = JSONField()
        number = CharField(max_length=80)
        words = JSONField()
        rows = IntegerField()
        files = IntegerField()
        created_date = UtcField()
        finished = UtcField(null=True)

        class Meta:
            database = db
            table_name = "erasure"

    db.create_tables([AuditEntry, Erasure])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("erasure"))
    migrator.migrate(migrator.drop_table("audit_entry"))
    for name in DIGESTS:
        migrator.migrate(
            migrator.drop_index("dnc_contact", f"dnc_contact_{name}"),
            migrator.drop_column("dnc_contact", name),
        )
