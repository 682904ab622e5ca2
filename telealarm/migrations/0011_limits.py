"""The limits of a manager, and how much of them is used."""

from peewee import *
from telealarm.models.base import UtcField

OF_USER = {
    "max_calls_per_day": lambda: IntegerField(null=True),
    "max_alarms_waiting": lambda: IntegerField(null=True),
    "max_trial_calls_per_day": lambda: IntegerField(null=True),
    "max_audio_megabytes": lambda: IntegerField(null=True),
    "min_series_minutes": lambda: IntegerField(null=True),
    "timezone": lambda: CharField(max_length=64, null=True),
}


def up(migrator, db):
    for name, column in OF_USER.items():
        migrator.migrate(migrator.add_column("user", name, column()))
    migrator.migrate(
        migrator.add_column("alarm", "counted_on", CharField(max_length=10, null=True))
    )

    class User(Model):
        class Meta:
            database = db
            table_name = "user"

    class LimitUse(Model):
        owner = ForeignKeyField(User, on_delete="CASCADE", index=False)
        kind = CharField(max_length=12)
        day = CharField(max_length=10, default="")
        used = BigIntegerField(default=0)
        counted = UtcField(null=True)

        class Meta:
            database = db
            table_name = "limit_use"
            indexes = ((("owner", "kind", "day"), True),)

    db.create_tables([LimitUse])
    # The recorded messages, which are few among the answers: to sum up their length.
    db.execute_sql(
        'CREATE INDEX "survey_result_recorded" ON "survey_result" ("call_id")'
        " WHERE record_file <> ''"
    )


def down(migrator, db):
    db.execute_sql('DROP INDEX "survey_result_recorded"')
    migrator.migrate(migrator.drop_table("limit_use"))
    migrator.migrate(migrator.drop_column("alarm", "counted_on"))
    for name in OF_USER:
        migrator.migrate(migrator.drop_column("user", name))
