"""alarm-request/: the attempts of alarms. Only attempts that still wait can be changed."""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields import json_schema
from telealarm.api.fields.form import Form
from telealarm.api.fields.relation import Relation
from telealarm.api.fields.reply import CREATED, Column, RowLink, SelfLink
from telealarm.api.fields.times import Moment
from telealarm.api.resources.alarms import STATUS
from telealarm.api.rest.resource import Action, Resource, Values
from telealarm.errors import Invalid
from telealarm.models import Alarm, AlarmRequest, Event
from telealarm.store.alarms import alarms
from telealarm.store.calendars import events
from telealarm.store.dialing import call_log
from telealarm.store.engine import time_zones
from telealarm.words import AlarmStatus


class AlarmRequestForm(Form):
    url: ClassVar = SelfLink("alarm-request")
    alarm: Annotated[int, Relation("alarm")]
    """The alarm of the attempt."""
    date: Annotated[datetime | None, Moment()] = None
    """The time of the attempt. Default: now."""
    status: Annotated[int | None, STATUS] = None
    """The status of the attempt. Write 7 to cancel an attempt that still waits."""
    callstatus: ClassVar = Column(meaning="The Q.850 cause of the hang-up.")
    duration: ClassVar = Column(meaning="How long the call lasted, in seconds.")
    callrequest: ClassVar = RowLink("callrequest", "callrequest_id", null=True, meaning="The call.")
    created_date: ClassVar = CREATED
    status_reason: ClassVar = Column(meaning="Why the status is what it is, as one stable word.")


def create(context: RequestContext, owner_id: int, values: Values) -> AlarmRequest:
    if values["status"] not in (None, AlarmStatus.PENDING):
        raise Invalid({"status": ["must be 1 (pending) for a new attempt"]})
    alarm = values["alarm"]
    return alarms.attempt(alarm, _date(alarm, values) or context.now, context.now)


def change(context: RequestContext, row: AlarmRequest, values: Values) -> None:
    if "alarm" in values and values["alarm"].id != row.alarm_id:
        raise Invalid({"alarm": ["an attempt cannot move to another alarm"]})
    date = _date(row.alarm, values)
    alarms.change_attempt(row, date, values.get("status"), context.now)


def _date(alarm: Alarm, values: Values) -> datetime | None:
    date = values.get("date")
    if date is None:
        return None
    return events.to_utc("date", date, time_zones.of_event(alarm.event))


def nested(context: RequestContext, row: Event, values: Values) -> dict[str, Any]:
    """Show the nested log of an event: by event, by alarm, by attempt

    It is the predecessor's: the names end with the ids of events, alarms and attempts, and each
    value is a text.
    """
    log: dict[str, Any] = {"event-url": context.links.to("event", row.id)}
    for event, alarms_of_event in call_log.attempts(row):
        log[f"event-{event.id}"] = {
            f"alarm-{alarm.id}": {
                "url": context.links.to("alarm", alarm.id),
                **{f"alarm-request-{attempt.id}": _entry(context, attempt) for attempt in attempts},
            }
            for alarm, attempts in alarms_of_event
        }
    return log


def _entry(context: RequestContext, request: AlarmRequest) -> dict[str, str]:
    return {
        "status": str(request.status),
        "url": context.links.to("alarm-request", request.id),
        "alarm-callrequest": context.links.maybe("callrequest", request.callrequest_id) or "",
        "duration": str(request.duration),
        "date": str(request.date),
        "callstatus": str(request.callstatus),
    }


_NESTED = {
    **json_schema.thing({"event-url": json_schema.LINK}, "NestedLog"),
    # Each event, with its alarms and their attempts.
    "additionalProperties": True,
}

ALARM_REQUEST = Resource(
    name="alarm-request",
    model=AlarmRequest,
    form=AlarmRequestForm,
    filters={
        "alarm": AlarmRequest.alarm,
        "status": AlarmRequest.status,
        "date": AlarmRequest.date,
    },
    orders={"date": AlarmRequest.date},
    create=create,
    change=change,
    put=False,
    parent="alarm",
    example={"alarm": "/rest-api/alarm/1/", "date": "2040-01-08T12:00:00+01:00"},
    actions=(
        Action(
            "get_nested_alarm_request",
            "GET",
            nested,
            of=Event,
            reply=_NESTED,
        ),
    ),
)
