"""People, their numbers, and what of alarms, events and settings refers to them."""

from peewee import *
from telealarm.models.base import UtcField


def up(migrator, db):
    class User(Model):
        class Meta:
            database = db
            table_name = "user"

    class Person(Model):
        owner = ForeignKeyField(User)
        name = CharField(max_length=200)
        first_name = CharField(max_length=100)
        email = CharField(max_length=254)
        language = CharField(max_length=10, null=True)
        timezone = CharField(max_length=64, null=True)
        daily_start = TimeField(null=True)
        daily_stop = TimeField(null=True)
        carer = ForeignKeyField("self", null=True)
        carer_mode = CharField(max_length=10)
        consent = BooleanField(null=True)
        consent_source = CharField(max_length=200)
        consent_date = DateField(null=True)
        notes = TextField()
        external_id = CharField(max_length=100, null=True)
        created_date = UtcField()
        updated_date = UtcField()
        deleted = UtcField(null=True)

        class Meta:
            database = db
            table_name = "person"
            indexes = (
                (("owner", "external_id"), True),
                (("owner", "id", "deleted"), False),
                (("owner", "name", "id", "deleted"), False),
            )

    class PersonNumber(Model):
        person = ForeignKeyField(Person, on_delete="CASCADE", index=False)
        position = IntegerField()
        number = CharField(max_length=50, index=True)
        e164 = CharField(max_length=20, null=True, index=True)

        class Meta:
            database = db
            table_name = "person_number"
            indexes = ((("person", "position"), True),)

    class PersonTerm(Model):
        owner = IntegerField()
        term = BlobField()
        person = IntegerField()

        class Meta:
            database = db
            table_name = "person_term"
            primary_key = CompositeKey("owner", "term", "person")
            indexes = ((("person",), False),)

    class Alarm(Model):
        class Meta:
            database = db
            table_name = "alarm"

    db.create_tables([Person, PersonNumber, PersonTerm])
    of_event = ForeignKeyField(Person, field=Person.id, null=True, on_delete="SET NULL")
    beside = ForeignKeyField(Alarm, field=Alarm.id, null=True)
    # With a default of the database's own, SQLite need not make the table anew.
    follows, require = (
        BooleanField(default=False, constraints=[SQL("DEFAULT FALSE")]) for _ in range(2)
    )
    migrator.migrate(
        migrator.add_column("event", "person_id", of_event),
        migrator.add_column("alarm", "follows_person", follows, allow_not_null=True),
        migrator.add_column("alarm", "beside_id", beside),
        migrator.add_column("calendar_setting", "require_consent", require, allow_not_null=True),
        migrator.add_column("erasure", "person", IntegerField(null=True)),
        migrator.add_column("erasure", "numbers", JSONField(null=True)),
    )


def down(migrator, db):
    for table, name in (
        ("erasure", "numbers"),
        ("erasure", "person"),
        ("calendar_setting", "require_consent"),
        ("alarm", "beside_id"),
        ("alarm", "follows_person"),
        ("event", "person_id"),
    ):
        if name.endswith("_id"):  # SQLite keeps a column that an index has
            migrator.migrate(migrator.drop_index(table, f"{table}_{name}"))
        migrator.migrate(migrator.drop_column(table, name))
    for table in ("person_term", "person_number", "person"):
        migrator.migrate(migrator.drop_table(table))
