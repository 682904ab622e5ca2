"""Events whose reminder plan was edited: their alarms follow it in sets."""

from telealarm.models.base import UtcField


def up(migrator, db):
    migrator.migrate(migrator.add_column("event", "plan_due", UtcField(null=True)))
    migrator.migrate(migrator.add_index("event", ("plan_due", "start")))


def down(migrator, db):
    migrator.migrate(migrator.drop_index("event", "event_plan_due_start"))
    migrator.migrate(migrator.drop_column("event", "plan_due"))
