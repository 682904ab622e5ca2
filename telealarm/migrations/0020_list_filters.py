"""Indexes for lists of events by their calendar or their end, and of calls by disposition."""

INDEXES = (
    ("event", ("owner_id", "calendar_id", "id", "deleted")),
    ("event", ("owner_id", "end", "id", "deleted")),
    ("event", ("end", "id", "deleted")),
    ("call_request", ("owner_id", "disposition", "id")),
    ("call_request", ("disposition", "id")),
)


def up(migrator, db):
    for table, columns in INDEXES:
        migrator.migrate(migrator.add_index(table, columns))


def down(migrator, db):
    for table, columns in INDEXES:
        migrator.migrate(migrator.drop_index(table, "_".join((table, *columns))))
