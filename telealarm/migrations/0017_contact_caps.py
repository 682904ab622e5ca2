"""Caps for a person, holidays of a region, and whether the person came."""

from peewee import *

COLUMNS = (
    ("user", "max_contacts_per_day", IntegerField(null=True)),
    ("user", "max_contacts_per_week", IntegerField(null=True)),
    ("user", "min_contact_minutes", IntegerField(null=True)),
    ("call_request", "contact", CharField(max_length=20, null=True)),
    ("message", "contact", CharField(max_length=254, null=True)),
    ("event", "attended", BooleanField(null=True)),
    ("event", "is_wakeup", BooleanField(null=True)),
    (
        "calendar_setting",
        "holidays_of",
        CharField(max_length=200, default="", constraints=[SQL("DEFAULT ''")]),
    ),
)
INDEXES = {
    "call_request_contact": '"call_request" ("contact") WHERE contact IS NOT NULL',
    "message_contact": '"message" ("contact") WHERE contact IS NOT NULL',
    "event_owner_attended": '"event" ("owner_id", "attended", "id") WHERE attended IS NOT NULL',
}


def up(migrator, db):
    for table, name, column in COLUMNS:
        migrator.migrate(migrator.add_column(table, name, column, allow_not_null=True))
    for name, columns in INDEXES.items():
        db.execute_sql(f'CREATE INDEX "{name}" ON {columns}')
    # Of earlier versions, by the title that the inbound door and FastAGI give.
    db.execute_sql("UPDATE event SET is_wakeup = TRUE WHERE title = 'Wake-up call'")


def down(migrator, db):
    for name in INDEXES:
        db.execute_sql(f'DROP INDEX "{name}"')
    for table, name, _ in COLUMNS:
        migrator.migrate(migrator.drop_column(table, name))
