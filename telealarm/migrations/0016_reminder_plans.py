"""Reminder plans: the alarms that the events of a calendar get."""

from datetime import time

from peewee import *
from telealarm.clock import utcnow
from telealarm.models.base import UtcField


def _tables(db):
    class User(Model):
        class Meta:
            database = db
            table_name = "user"

    class Survey(Model):
        class Meta:
            database = db
            table_name = "survey"

    class MailTemplate(Model):
        class Meta:
            database = db
            table_name = "mail_template"

    class SmsTemplate(Model):
        class Meta:
            database = db
            table_name = "sms_template"

    class ReminderPlan(Model):
        owner = ForeignKeyField(User)
        name = CharField(max_length=100)
        created_date = UtcField(default=utcnow)
        updated_date = UtcField(default=utcnow)

        class Meta:
            database = db
            table_name = "reminder_plan"

    class ReminderStep(Model):
        plan = ForeignKeyField(ReminderPlan, backref="steps", on_delete="CASCADE")
        position = IntegerField(default=0)
        name = CharField(max_length=100, default="")
        trigger = CharField(max_length=10, default="before")
        offset = IntegerField(default=0)
        types = JSONField(default=list)
        booked_ahead_hours = IntegerField(null=True)
        method = IntegerField(default=1)
        survey = ForeignKeyField(Survey, null=True)
        mail_template = ForeignKeyField(MailTemplate, null=True)
        sms_template = ForeignKeyField(SmsTemplate, null=True)
        only_if_unanswered = BooleanField(default=False)
        daily_start = TimeField(default=time(0, 0, 0))
        daily_stop = TimeField(default=time(23, 59, 59))
        maxretry = IntegerField(default=0)
        retry_delay = IntegerField(default=0)
        max_lateness = IntegerField(null=True)
        require_result = BooleanField(default=False)

        class Meta:
            database = db
            table_name = "reminder_step"

    return ReminderPlan, ReminderStep


def _columns(plan, step):
    to_plan = {"null": True, "field": plan.id}
    return {
        ("calendar", "reminder_plan_id"): lambda: ForeignKeyField(plan, **to_plan),
        ("event", "type"): lambda: CharField(max_length=100, default=""),
        ("event", "reminder_plan_id"): lambda: ForeignKeyField(plan, **to_plan),
        ("event", "moved_on"): lambda: UtcField(null=True),
        ("alarm", "reminder_step_id"): lambda: ForeignKeyField(
            step, null=True, field=step.id, on_delete="SET NULL"
        ),
        ("alarm", "trigger"): lambda: CharField(max_length=10, default=""),
        ("alarm", "only_if_unanswered"): lambda: BooleanField(default=False),
        ("alarm", "by_hand"): lambda: BooleanField(default=False),
    }


def up(migrator, db):
    plan, step = _tables(db)
    db.create_tables([plan, step])
    for (table, name), column in _columns(plan, step).items():
        migrator.migrate(migrator.add_column(table, name, column()))


def down(migrator, db):
    plan, step = _tables(db)
    for table, name in reversed(_columns(plan, step)):
        if name.endswith("_id"):  # SQLite keeps a column that an index has
            migrator.migrate(migrator.drop_index(table, f"{table}_{name}"))
        migrator.migrate(migrator.drop_column(table, name))
    db.drop_tables([step, plan])
