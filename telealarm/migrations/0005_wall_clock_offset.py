"""An alarm keeps its distance from its event on the wall clock.

The distances that are there are elapsed seconds. `store.open` reads them on the wall clock of their
event afterwards: the zone may be that of the configuration.
"""

from peewee import *


def up(migrator, db):
    elapsed = BooleanField(default=False, constraints=[SQL("DEFAULT false")])
    fold = IntegerField(default=0, constraints=[SQL("DEFAULT 0")])
    migrator.migrate(
        migrator.add_column("alarm", "offset_elapsed", elapsed, allow_not_null=True),
        migrator.add_column("alarm", "offset_fold", fold, allow_not_null=True),
    )

    class Alarm(Model):
        offset = IntegerField()
        offset_elapsed = BooleanField()

        class Meta:
            database = db
            table_name = "alarm"

    Alarm.update(offset_elapsed=True).where(Alarm.offset != 0).execute()


def down(migrator, db):
    migrator.migrate(
        migrator.drop_column("alarm", "offset_elapsed"),
        migrator.drop_column("alarm", "offset_fold"),
    )
