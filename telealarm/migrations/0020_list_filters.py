"""The indexes for the filters of lists by the end of an event and by the disposition of a call."""

INDEXES = (
    ("event", ("owner_id", "end", "id", "deleted")),
    ("event", ("end", "id", "deleted")),
    ("event", ("creator_id", "id", "deleted")),
    ("call_request", ("owner_id", "disposition", "id")),
    ("call_request", ("disposition", "id")),
)


def up(migrator, db):
    for table, columns in INDEXES:
        migrator.migrate(migrator.add_index(table, columns))


def down(migrator, db):
    for table, columns in INDEXES:
        migrator.migrate(migrator.drop_index(table, "_".join((table, *columns))))
