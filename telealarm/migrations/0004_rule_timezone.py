"""A rule may have a time zone of its own. An imported event keeps its SEQUENCE."""

from peewee import *


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("rule", "timezone", CharField(max_length=64, null=True)),
        migrator.add_column("event", "import_sequence", IntegerField(null=True)),
    )


def down(migrator, db):
    migrator.migrate(
        migrator.drop_column("rule", "timezone"),
        migrator.drop_column("event", "import_sequence"),
    )
