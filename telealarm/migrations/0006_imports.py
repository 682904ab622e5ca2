"""What an import wrote: for the next import of the same source, and to take an import back."""

from peewee import *
from telealarm.models.base import UtcField

COLUMNS = {
    "imported": lambda: JSONField(null=True),
    "import_source": lambda: CharField(null=True, max_length=100),
}


def up(migrator, db):
    for name, column in COLUMNS.items():
        migrator.migrate(migrator.add_column("event", name, column()))

    class Event(Model):
        class Meta:
            database = db
            table_name = "event"

    class ImportRun(Model):
        file = CharField(max_length=255)
        source = CharField(max_length=100)
        created_date = UtcField()
        undone = UtcField(null=True)

        class Meta:
            database = db
            table_name = "import_run"

    class ImportChange(Model):
        run = ForeignKeyField(ImportRun)
        event = ForeignKeyField(Event)
        before = JSONField(null=True)
        after = JSONField()

        class Meta:
            database = db
            table_name = "import_change"

    db.create_tables([ImportRun, ImportChange])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("import_change"))
    migrator.migrate(migrator.drop_table("import_run"))
    for name in COLUMNS:
        migrator.migrate(migrator.drop_column("event", name))
