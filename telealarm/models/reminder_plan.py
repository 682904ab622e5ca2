"""Reminder plans: the alarms that the events of a calendar get."""

from datetime import time

from peewee import (
    BooleanField,
    CharField,
    Field,
    ForeignKeyField,
    IntegerField,
    JSONField,
    TimeField,
)

from telealarm.methods import call
from telealarm.models.account import User
from telealarm.models.base import BaseModel, Key, OptionalKey, created
from telealarm.models.survey import Survey
from telealarm.models.template import MailTemplate, SmsTemplate
from telealarm.words import StepTrigger


class ReminderPlan(BaseModel):
    """Steps, each of which makes an alarm of an event."""

    owner = ForeignKeyField(User)
    owner_id: Key
    name = CharField(max_length=100)
    created_date = created()
    updated_date = created()


class ReminderStep(BaseModel):
    """A step of a plan. The columns from `method` on are those of its alarms.

    `offset` is the distance in seconds on the wall clock: before the event's start, or after its
    end. `types`: the events' types for which it is meant; empty: all. `booked_ahead_hours`: only
    for events that were booked more than so many hours ahead; null: for all.
    """

    plan = ForeignKeyField(ReminderPlan, backref="steps", on_delete="CASCADE")
    plan_id: Key
    position = IntegerField(default=0)
    name = CharField(max_length=100, default="")
    trigger = CharField(max_length=10, default=StepTrigger.BEFORE)
    offset = IntegerField(default=0)
    types: "Field[list[str]]" = JSONField(default=list)
    booked_ahead_hours = IntegerField(null=True)
    method = IntegerField(default=call.METHOD.number)
    survey = ForeignKeyField(Survey, null=True)
    survey_id: OptionalKey
    mail_template = ForeignKeyField(MailTemplate, null=True)
    mail_template_id: OptionalKey
    sms_template = ForeignKeyField(SmsTemplate, null=True)
    sms_template_id: OptionalKey
    only_if_unanswered = BooleanField(default=False)
    daily_start = TimeField(default=time(0, 0, 0))
    daily_stop = TimeField(default=time(23, 59, 59))
    maxretry = IntegerField(default=0)
    retry_delay = IntegerField(default=0)
    max_lateness = IntegerField(null=True)
    require_result = BooleanField(default=False)
