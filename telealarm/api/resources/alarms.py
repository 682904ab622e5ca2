"""alarm/: an alarm notifies one recipient about an event. It has a timeline."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo

from telealarm import methods
from telealarm.api.core.request_context import RequestContext, stamp
from telealarm.api.fields import json_schema
from telealarm.api.fields.base import Absent, FieldType, Schema
from telealarm.api.fields.choices import Choice, OneOf
from telealarm.api.fields.form import REQUIRED, Form
from telealarm.api.fields.numbers import LARGEST, Flag, Whole
from telealarm.api.fields.relation import Relation
from telealarm.api.fields.reply import CREATED, Column, Computed, RowLink, SelfLink
from telealarm.api.fields.texts import Phone, Url, Zone
from telealarm.api.fields.times import Clock, Moment
from telealarm.api.resources.alarm_outcome import outcome
from telealarm.api.resources.alarm_sheet import SHEET
from telealarm.api.resources.calendar_settings import SEALED
from telealarm.api.resources.mail_templates import ADDRESS
from telealarm.api.resources.survey_templates import LANGUAGE
from telealarm.api.rest import lists
from telealarm.api.rest.filters import WordFilter
from telealarm.api.rest.resource import Action, Resource, Values
from telealarm.errors import Invalid
from telealarm.methods import call
from telealarm.models import Alarm, Event, Timeline
from telealarm.rules.outcome import POLICY_KEYS
from telealarm.store.alarms import alarms, distance, permissions
from telealarm.store.calendars import density, series
from telealarm.store.dialing import call_log
from telealarm.store.engine import time_zones
from telealarm.store.engine.together import together
from telealarm.store.messages import template_values
from telealarm.words import (
    AT_ONCE,
    UNSETTLED,
    AlarmOutcome,
    AlarmResult,
    AlarmStatus,
    AuditRoad,
    StepTrigger,
)

WEEK_SECONDS = 7 * 24 * 3600
STATUS = Choice({status.value: status.name.lower() for status in AlarmStatus}, "AlarmStatus")
METHOD = Choice(
    {number: method.name for number, method in methods.alarm_methods().items()}, "AlarmMethod"
)
# The answers that a receptionist looks for: `?outcome=cancelled,unanswered`.
# With the sum, no index of results is taken: rows without a result are most of them.
_NO_RESULT = (Alarm.result + 0) == AlarmResult.NONE
OUTCOME = WordFilter(
    {
        "open": [Alarm.status == status for status in UNSETTLED],
        "confirmed": [Alarm.result == AlarmResult.CONFIRMED],
        "cancelled": [Alarm.result == AlarmResult.CANCELLED],
        "rescheduled": [Alarm.result == AlarmResult.RESCHEDULED],
        # Somebody or something picked up: a person without a key, a voicemail, a screener.
        AlarmOutcome.ANSWERED_NO_KEY: [
            _NO_RESULT
            & (Alarm.status == AlarmStatus.SUCCESS)
            & Alarm.method.in_(methods.on_channel())
        ],
        "unanswered": [
            _NO_RESULT & (Alarm.status == status)
            for status in (AlarmStatus.FAILURE, AlarmStatus.MISSED)
        ],
    }
)


class RetryPolicy(FieldType):
    """The delay (seconds) and the count of retries, by the reason of a failure."""

    def read(self, value: Any) -> dict[str, dict[str, int]]:
        if not isinstance(value, dict) or not set(value) <= set(POLICY_KEYS):
            raise ValueError(
                'must be a JSON object like {"busy": {"delay": 60, "count": 3}}, with keys'
                f" {', '.join(POLICY_KEYS)}"
            )
        return {reason: self._entry(reason, entry) for reason, entry in value.items()}

    def _entry(self, reason: str, entry: Any) -> dict[str, int]:
        if not isinstance(entry, dict) or set(entry) != {"delay", "count"}:
            raise ValueError(f"{reason}: must have a delay (seconds) and a count")
        try:
            delay = Whole(0, WEEK_SECONDS).read(entry["delay"])
            return {"delay": delay, "count": Whole(0, 100).read(entry["count"])}
        except ValueError as error:
            raise ValueError(f"{reason}: delay or count {error}") from None

    def schema(self) -> Schema:
        entry = {
            **json_schema.thing(
                {"delay": Whole(0, WEEK_SECONDS).schema(), "count": Whole(0, 100).schema()},
                "RetryRule",
            ),
            "additionalProperties": False,
        }
        return {
            "type": "object",
            "properties": dict.fromkeys(POLICY_KEYS, entry),
            "additionalProperties": False,
        }


def notice(context: RequestContext, row: Alarm) -> str | None:
    """Return date_start_notice as local time."""
    if row.trigger in AT_ONCE:
        return context.local(row.created_date, row.zone)
    if not row.offset:
        return context.local(row.event_start, row.zone)
    zone = ZoneInfo(row.zone) if row.zone else time_zones.configured()
    moment = distance.shown(row, row.event_start, row.event_said_start, zone)
    return context.local(moment, row.zone)


NOTICE = Computed(notice, json_schema.nullable(json_schema.MOMENT))


class AlarmForm(Form):
    url: ClassVar = SelfLink("alarm")
    alarm_phonenumber: Annotated[str | Absent, Phone()] = Absent.LEFT_OUT
    """The number for the call or the SMS. An alarm by mail needs none. Without it, an alarm of an
    event with a `person` follows the person. An empty text makes it follow again.
    """
    alarm_email: Annotated[str, ADDRESS] = ""
    """The mail address of an alarm by mail. Without it, the alarm follows the event's `person`."""
    daily_start: Annotated[time, Clock()] = time(0, 0, 0)
    """The earliest time of day for an attempt, in the recipient's time zone."""
    daily_stop: Annotated[time, Clock()] = time(23, 59, 59)
    """The latest time of day. If it is before `daily_start`, the hours cross midnight."""
    advance_notice: Annotated[int, Whole(0)] = 0
    """How many seconds before `date_start_notice` the alarm is due."""
    maxretry: Annotated[int, Whole(0, 100)] = 0
    """How many more attempts follow a failed attempt."""
    retry_delay: Annotated[int, Whole(0, WEEK_SECONDS)] = 0
    """Seconds from the end of an attempt to the next one."""
    num_attempt: ClassVar = Column(meaning="How many attempts were made.")
    method: Annotated[int, METHOD] = call.METHOD.number
    """How the recipient is notified."""
    survey: Annotated[int | None, SEALED] = None
    """The survey of a call. Default: the survey of the calendar setting."""
    mail_template: Annotated[int | None, Relation("mail-template")] = None
    """The template of a mail. Without it, a mail says the title and the start of the event."""
    sms_template: Annotated[int | None, Relation("sms-template")] = None
    """The template of an SMS. Without it, an SMS says the title and the start of the event."""
    event: Annotated[int, Relation("event")]
    """The event of the alarm."""
    date_start_notice: Annotated[datetime | None, Moment(), NOTICE] = None
    """`advance_notice` counts back from this time. Default: the event's start."""
    status: Annotated[int | None, STATUS] = None
    """The status of the alarm. Write 1 to resume an alarm, or 7 to cancel it."""
    result: ClassVar = Column(
        meaning="The answer: 0 none, 1 confirmed, 2 cancelled, 3 rescheduled, or another key."
    )
    url_cancel: Annotated[str, Url()] = ""
    """Gets an unsigned POST when the answer is 2."""
    url_confirm: Annotated[str, Url()] = ""
    """Gets an unsigned POST when the answer is 1."""
    phonenumber_transfer: Annotated[str, Phone()] = ""
    """The agent's number for a call transfer, if the section names no number."""
    phonenumber_sms_failure: Annotated[str, Phone()] = ""
    """This number gets an SMS if the alarm failed or was missed."""
    alarm_e164: ClassVar = Column(meaning="`alarm_phonenumber` in E.164 form; null: not known.")
    transfer_e164: ClassVar = Column(meaning="`phonenumber_transfer` in E.164 form.")
    sms_failure_e164: ClassVar = Column(meaning="`phonenumber_sms_failure` in E.164 form.")
    created_date: ClassVar = CREATED
    timezone: Annotated[str | None, Zone()] = None
    """The recipient's time zone. Default: the event's."""
    language: Annotated[str | None, LANGUAGE] = None
    """The recipient's language. Default: the survey's."""
    max_lateness: Annotated[int | None, Whole(0)] = None
    """How late the alarm may still go out, in seconds. Without it, the alarm may go out until the
    event starts or ends.
    """
    require_result: Annotated[bool, Flag()] = False
    """Whether an answered call without a pressed key is a failed attempt."""
    retry_policy: Annotated[dict[str, Any] | None, RetryPolicy()] = None
    """Retries by the reason of the failure. Other reasons use `maxretry` and `retry_delay`.
    """
    on_unknown: Annotated[str, OneOf(("redial", "miss"))] = "redial"
    """What follows if it is unknown whether the phone rang: another call, or none."""
    missed_policy: Annotated[str, OneOf(("inform", "run", "skip"))] = "inform"
    """What follows if it is too late: `inform` notifies the failure number, `run` calls until the
    event ends, `skip` only records it.
    """
    snooze_key: Annotated[str, OneOf(("", *"123456789"))] = ""
    """The rating key that asks for another call later. Empty: no key does."""
    status_reason: ClassVar = Column(meaning="Why the status is what it is, as one stable word.")
    reminder_step: ClassVar = Computed(
        lambda context, row: row.reminder_step_id,
        {"type": ["integer", "null"]},
        meaning="The id of the step of the reminder plan that made the alarm.",
    )
    trigger: ClassVar = Column(
        shape=json_schema.words(["", *StepTrigger], "AlarmTrigger"),
        meaning="What made the alarm due, if a reminder plan made it; else empty.",
    )
    by_hand: ClassVar = Column(
        meaning="Whether a client edited the alarm, so that a reminder plan leaves it as it is."
    )
    about: ClassVar = RowLink(
        "alarm", "about_id", null=True, meaning="The failed alarm that this alarm reports."
    )
    outcome: ClassVar = Computed(
        outcome, json_schema.words(AlarmOutcome), meaning="The answer in one word."
    )
    follows_person: ClassVar = Column(
        meaning="Whether the number and the mail address are those of the event's person or carer."
    )
    beside: ClassVar = RowLink(
        "alarm", "beside_id", null=True, meaning="Of an alarm for the carer: the person's alarm."
    )


# Who edits what a source made.
_SOURCES = (AuditRoad.IMPORT, AuditRoad.FEED)


def weigh(context: RequestContext, row: Alarm | None, values: Values) -> None:
    """Check how close the alarms of a series are. This is slow, so it runs before the write."""
    event = values.get("event")
    if event is not None and event.rule_id is not None and (row is None or row.event != event):
        density.check(event, series.of(event), context.now)


@together
def create(steps: Sequence[tuple[RequestContext, int, Values]]) -> Sequence[Alarm]:
    for context, _, values in steps:
        if values.pop("status", None) not in (None, AlarmStatus.PENDING):
            raise Invalid({"status": ["a new alarm is 1 (pending)"]})
        _check_recipient(values, None)
        _to_offset(context, values["event"], values)
    news = [(owner_id, values, context.now) for context, owner_id, values in steps]
    rows = alarms.create.many(news)
    for alarm, (context, _, _) in zip(rows, steps, strict=True):
        permissions.check(alarm, None)
        template_values.look(alarm, None, context.now)
    return rows


def missing(alarm: Alarm) -> dict[str, Any]:
    """Return the placeholders of a new alarm's survey that its event's data do not have."""
    return {"missing_placeholders": alarm.lacking} if alarm.lacking else {}


def change(context: RequestContext, row: Alarm, values: Values) -> None:
    status = values.pop("status", None)
    _check_recipient(values, row)
    _to_offset(context, values.get("event", row.event), values)
    before = Alarm.get_by_id(row.id)
    by_hand = context.actor.road not in _SOURCES
    alarms.change(row, values, status, context.now, by_hand=by_hand)
    permissions.check(row, before)
    template_values.look(row, before, context.now)


def _check_recipient(values: Values, row: Alarm | None) -> None:
    """Raise Invalid if the alarm has no number or mail address for its method."""
    method = methods.of(values.get("method", row.method if row else call.METHOD.number))
    name = method.address.field
    address = values.get(name, row and getattr(row, name))
    event = values["event"] if row is None else values.get("event", row.event)
    if address or event.person_id is not None:
        return
    if row is None or name in values or "method" in values:
        raise Invalid({name: [method.no_address if name in values else REQUIRED]})


def _to_offset(context: RequestContext, event: Event, values: Values) -> None:
    """Replace the date by its distance from the event's start. It then follows a moved event."""
    if "date_start_notice" not in values:
        return
    notice = values.pop("date_start_notice")
    values.update(offset=0, offset_elapsed=False, offset_fold=0)
    if notice is not None:
        try:
            values.update(distance.columns(event, notice))
        except ValueError as error:
            raise Invalid({"date_start_notice": [str(error)]}) from None
    if abs(values["offset"]) > LARGEST:
        raise Invalid({"date_start_notice": ["must lie within 68 years of the event's start"]})


def delete(context: RequestContext, row: Alarm) -> None:
    alarms.delete_by_hand(row, context.now)


def timeline(context: RequestContext, row: Alarm, values: Values) -> dict[str, Any]:
    """List what happened to the alarm, in order"""
    return lists.page(context, call_log.timeline(row), show_entry, Timeline.id)


def show_entry(context: RequestContext, row: Timeline) -> dict[str, Any]:
    return {
        "at": stamp(row.at),
        "what": row.what,
        "why": row.why,
        "request": context.links.maybe("alarm-request", row.request_id),
    }


ALARM = Resource(
    name="alarm",
    model=Alarm,
    form=AlarmForm,
    searched=True,
    sheet=SHEET,
    filters={
        "event": Alarm.event,
        "status": Alarm.status,
        "result": Alarm.result,
        "outcome": OUTCOME,
        "alarm_phonenumber": Alarm.alarm_phonenumber,
        "event_start": Event.start,
    },
    weigh=weigh,
    create=create,
    once=missing,
    once_shown={
        "missing_placeholders": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Only in the reply to a POST: the placeholders of the survey that the"
            " event's data do not have.",
        }
    },
    change=change,
    delete=delete,
    not_by_patch={
        "result": "a result comes from the recipient's answer: a key, a reply by SMS, or a link"
    },
    parent="event",
    example={
        "event": "/rest-api/event/1/",
        "alarm_phonenumber": "+34600100200",
        "advance_notice": 86400,
        "daily_start": "09:00:00",
        "daily_stop": "20:00:00",
        "maxretry": 2,
        "retry_delay": 600,
    },
    actions=(
        Action(
            "timeline",
            "GET",
            timeline,
            query=lists.PAGING,
            reply=json_schema.page_of(
                {
                    "at": json_schema.MOMENT,
                    "what": {"type": "string"},
                    "why": {"type": "string"},
                    "request": json_schema.MAYBE_LINK,
                }
            ),
        ),
    ),
)
