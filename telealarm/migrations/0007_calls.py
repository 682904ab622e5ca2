"""Called off while it rings, hung up while nobody talked, and what an answering machine hears."""

from peewee import *

COLUMNS = (
    # Like the UtcField of the models: without a zone, to the microsecond.
    ("alarm", "called_off", DateTimeField(null=True)),
    ("call_request", "hung_up", BooleanField(default=False, constraints=[SQL("DEFAULT FALSE")])),
    (
        "calendar_setting",
        "voicemail_survey",
        BooleanField(default=False, constraints=[SQL("DEFAULT FALSE")]),
    ),
)


def up(migrator, db):
    for table, name, field in COLUMNS:
        migrator.migrate(migrator.add_column(table, name, field, allow_not_null=True))


def down(migrator, db):
    for table, name, _ in COLUMNS:
        migrator.migrate(migrator.drop_column(table, name))
