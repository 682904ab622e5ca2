"""Alarms and their attempts."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

from peewee import (
    BooleanField,
    CharField,
    Field,
    ForeignKeyField,
    IntegerField,
    JSONField,
    TimeField,
)

from telealarm import methods
from telealarm.methods import call
from telealarm.models.account import User
from telealarm.models.base import BaseModel, ClaimableModel, Key, OptionalKey, UtcField, created
from telealarm.models.event import Event
from telealarm.models.reminder_plan import ReminderStep
from telealarm.models.survey import Survey
from telealarm.models.template import MailTemplate, SmsTemplate
from telealarm.words import AlarmResult, AlarmStatus, StepTrigger


class Alarm(BaseModel):
    """Notice of an event to one recipient.

    `offset` is the distance from the event's start to date_start_notice, in seconds on the wall
    clock of the event's zone; with `offset_elapsed`, in elapsed seconds. `offset_fold` is 1 if
    date_start_notice is the second of two equal wall times. `due` is computed from them, for the
    index. `due` is null while no attempt is due: the event is paused or deleted.
    """

    owner = ForeignKeyField(User)
    owner_id: Key
    event = ForeignKeyField(Event, backref="alarms")
    event_id: Key
    alarm_phonenumber = CharField(max_length=50, default="")
    alarm_email = CharField(max_length=254, default="")
    daily_start = TimeField(default=time(0, 0, 0))
    daily_stop = TimeField(default=time(23, 59, 59))
    offset = IntegerField(default=0)
    offset_elapsed = BooleanField(default=False)
    offset_fold = IntegerField(default=0)
    advance_notice = IntegerField(default=0)
    due = UtcField(null=True)
    maxretry = IntegerField(default=0)
    retry_delay = IntegerField(default=0)
    num_attempt = IntegerField(default=0)
    # The number of its alarm method: 1 call, 2 SMS, 3 email.
    method = IntegerField(default=call.METHOD.number)
    survey = ForeignKeyField(Survey, null=True)
    survey_id: OptionalKey
    mail_template = ForeignKeyField(MailTemplate, null=True)
    mail_template_id: OptionalKey
    sms_template = ForeignKeyField(SmsTemplate, null=True)
    sms_template_id: OptionalKey
    status = IntegerField(default=AlarmStatus.PENDING)
    status_reason = CharField(max_length=40, default="")
    # It was called off while an attempt was being made. Only the answer of that attempt counts.
    called_off = UtcField(null=True)
    result = IntegerField(default=AlarmResult.NONE)
    url_cancel = CharField(max_length=500, default="")
    url_confirm = CharField(max_length=500, default="")
    phonenumber_transfer = CharField(max_length=50, default="")
    phonenumber_sms_failure = CharField(max_length=50, default="")
    # The same numbers in E.164 form; null: no plan can place the number.
    alarm_e164 = CharField(max_length=20, null=True, index=True)
    transfer_e164 = CharField(max_length=20, null=True)
    sms_failure_e164 = CharField(max_length=20, null=True)
    timezone = CharField(max_length=64, null=True)
    language = CharField(max_length=10, null=True)
    max_lateness = IntegerField(null=True)
    require_result = BooleanField(default=False)
    retry_policy: "Field[dict[str, Any] | None]" = JSONField(null=True)
    on_unknown = CharField(max_length=10, default="redial")
    missed_policy = CharField(max_length=10, default="inform")
    # The rating key that asks for another call later; empty: no key does.
    snooze_key = CharField(max_length=1, default="")
    # The failed alarm that this alarm reports to the setting's failure_phonenumber.
    about: "ForeignKeyField[Alarm | None]" = ForeignKeyField("self", null=True, backref="+")
    about_id: OptionalKey
    # Its number and its mail address are those of the event's person, or of the person's carer.
    follows_person = BooleanField(default=False)
    # Of an alarm for the carer: the alarm of the person, which it accompanies.
    beside: "ForeignKeyField[Alarm | None]" = ForeignKeyField("self", null=True, backref="+")
    beside_id: OptionalKey
    created_date = created()
    # The alarm of the parent event from which this one was copied.
    origin: "ForeignKeyField[Alarm | None]" = ForeignKeyField("self", null=True)
    origin_id: OptionalKey
    detached = BooleanField(default=False)
    deleted = UtcField(null=True)
    # The step of a reminder plan that made it, and the trigger of the step, which stays when the
    # step is gone. Empty: no plan made it.
    reminder_step: "ForeignKeyField[ReminderStep | None]" = ForeignKeyField(
        ReminderStep, null=True, on_delete="SET NULL"
    )
    reminder_step_id: OptionalKey
    trigger = CharField(max_length=10, default="")
    # An answer to another alarm of the event calls it off, whatever the calendar setting says.
    only_if_unanswered = BooleanField(default=False)
    # A client edited, cancelled or deleted it: its plan leaves it as it is.
    by_hand = BooleanField(default=False)
    # The day on which its call counts to the manager's limit, as 2026-12-01; null: it does not.
    counted_on = CharField(max_length=10, null=True)

    # These are no columns: store.access.visibility adds them to the selected rows.
    event_start: datetime
    event_said_start: str | None
    zone: str | None
    # What a write has just noticed: see store.messages.template_values.
    lacking: Sequence[str] = ()

    @property
    def recipient(self) -> str:
        """Where its method reaches the recipient: a phone number or a mail address."""
        return str(getattr(self, methods.of(self.method).address.field))

    @property
    def is_gone(self) -> bool:
        """Whether it, or its event, was deleted. What tells of a cancelled event outlives it."""
        outlives = self.trigger == StepTrigger.CANCELLED
        return self.deleted is not None or (self.event.deleted is not None and not outlives)

    class Meta:
        # The first is for the planner. The others are for the API's lists, of a manager and of a
        # superuser.
        indexes = (
            (("status", "due"), False),
            (("owner", "id", "deleted"), False),
            (("owner", "status", "id", "deleted"), False),
            (("owner", "result", "id", "deleted"), False),
            (("status", "id", "deleted"), False),
            (("result", "id", "deleted"), False),
            (("owner", "alarm_phonenumber", "id", "deleted"), False),
            (("alarm_phonenumber", "id", "deleted"), False),
        )


class AlarmRequest(ClaimableModel):
    """One attempt. `date` is when it will be made. A deferred attempt waits for calling hours."""

    # After this time the attempt is not made any more; null: it was requested by hand.
    expires = UtcField(null=True)
    owner = ForeignKeyField(User)
    owner_id: Key
    alarm = ForeignKeyField(Alarm, backref="requests")
    alarm_id: Key
    date = UtcField()
    status = IntegerField(default=AlarmStatus.PENDING)
    status_reason = CharField(max_length=40, default="")
    callstatus = IntegerField(default=0)  # Q.850 hang-up cause
    duration = IntegerField(default=0)  # seconds answered
    created_date = created()
    # The queue in which it waits: the id of its calendar. It is corrected when it is read.
    queue = IntegerField(default=0)
    # It waits for the end of this call, which uses the same number; 0: it waits for no call.
    waits_for = IntegerField(default=0)
    # The ids of the gateways that failed in this attempt. It continues with the next gateway.
    tried: "Field[list[int]]" = JSONField(default=list)

    # This is no column: the call log adds it to the selected rows.
    callrequest_id: int | None

    class Meta:
        indexes = (
            (("status", "date"), False),
            (("status", "waits_for", "queue", "date", "id"), False),
            (("status", "expires"), False),
            (("owner", "id"), False),
            (("owner", "status", "id"), False),
            (("status", "id"), False),
            (("owner", "date", "id"), False),
            (("date", "id"), False),
        )
