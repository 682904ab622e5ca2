"""event/: an event has a time, occurrences and alarms."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields import json_schema
from telealarm.api.fields.base import Absent
from telealarm.api.fields.choices import Choice
from telealarm.api.fields.form import Form
from telealarm.api.fields.json import Json
from telealarm.api.fields.numbers import Flag
from telealarm.api.fields.relation import Relation
from telealarm.api.fields.reply import (
    CREATED,
    LOCAL,
    Column,
    RowLink,
    SelfLink,
)
from telealarm.api.fields.texts import Text, Zone
from telealarm.api.fields.times import Moment, Moments
from telealarm.api.resources import occurrences
from telealarm.api.rest.filters import WordFilter
from telealarm.api.rest.resource import Action, Resource, Values
from telealarm.models import Event
from telealarm.store.alarms import permissions
from telealarm.store.calendars import children, density, events, exdates, series
from telealarm.store.dialing import call_log
from telealarm.store.engine.together import together
from telealarm.store.feeds import feeds, orders, ownership
from telealarm.store.reminder_plans.steps import plan_id
from telealarm.words import EventStatus

STATUS = Choice({status.value: status.name.lower() for status in EventStatus}, "EventStatus")


ATTENDED = WordFilter(
    {
        "true": [Event.attended == True],  # noqa: E712 - an expression of SQL
        "false": [Event.attended == False],  # noqa: E712
        "null": [Event.attended.is_null()],
    }
)
# An edit of one of these changes the series, which is then checked again.
_SHAPES_SERIES = frozenset(
    {"rule", "start", "end_recurring_period", "timezone", "calendar", "exdate"}
)


class EventForm(Form):
    url: ClassVar = SelfLink("event")
    title: Annotated[str, Text(255, 1)]
    """The title. It is the placeholder `{title}`."""
    description: Annotated[str | None, Text(10_000, lines=True)] = None
    """A note for people."""
    start: Annotated[datetime | None, Moment(), LOCAL] = None
    """When the event starts. Default: now."""
    end: Annotated[datetime | None, Moment(), LOCAL] = None
    """When the event ends. Default: an hour after the start."""
    creator: Annotated[int | None, Relation("calendar-user")] = None
    """The calendar user who created the event. Default: the calendar's."""
    created_on: ClassVar = CREATED
    # Null: the series has no end. Left out: a month after the start.
    end_recurring_period: Annotated[datetime | Absent | None, Moment(), LOCAL] = Absent.LEFT_OUT
    """When a series ends at the latest. null: never. Default: a month after the start."""
    rule: Annotated[int | None, Relation("rule")] = None
    """The rule by which the event repeats. Without it, the event happens once."""
    calendar: Annotated[int, Relation("calendar")]
    """The calendar that holds the event."""
    notify_count: ClassVar = Column(meaning="How many alarms of the event were sent.")
    status: Annotated[int, STATUS] = EventStatus.PENDING
    """Whether the alarms of the event are sent."""
    data: Annotated[dict[str, Any] | None, Json()] = None
    """Values for the placeholders of scripts and templates, by name."""
    parent_event: ClassVar = RowLink(
        "event", "parent_event_id", null=True, meaning="The first event of the series."
    )
    occ_count: ClassVar = Column(meaning="Which occurrence of the series this is, counted from 0.")
    timezone: Annotated[str | None, Zone()] = None
    """The time zone of the event. Default: the calendar's."""
    type: Annotated[str, Text(100)] = ""
    """The type of appointment, in your words. Steps of a reminder plan may be for some types."""
    reminder_plan: Annotated[int | None, Relation("reminder-plan")] = None
    """The plan that makes the event's alarms. Default: the calendar's."""
    exdate: Annotated[list[datetime] | None, Moments()] = None
    """The starts of cancelled occurrences of a series, in the event's time zone."""
    person: Annotated[int | None, Relation("person")] = None
    """Whom the event is about. Its alarms then need no number."""
    attended: Annotated[bool | None, Flag()] = None
    """Whether the person came. null: nobody has said. It changes no alarm."""


class StatusForm(Form):
    status: Annotated[int, STATUS]
    """Whether the alarms of the event are sent."""


def weigh(context: RequestContext, row: Event | None, values: Values) -> None:
    """Check the series of the event. This is slow, so it runs before the write."""
    if row is not None and not _SHAPES_SERIES & values.keys():
        return
    there = [] if row is None else row.exdate
    if row is None:
        row = Event(**events.drafted(values, context.now))
    else:
        for name, value in events.redrafted(row, values).items():
            setattr(row, name, value)
    series.check(row)
    if row.id is not None and children.templates(row):
        density.check(row, series.of(row), context.now)
    if values.get("exdate"):
        exdates.check(row, there)


def not_planned(event: Event) -> dict[str, Any]:
    """Return what a new event's reminder plan could not plan."""
    return {"not_planned": event.not_planned} if event.not_planned else {}


@together
def create(steps: Sequence[tuple[RequestContext, int, Values]]) -> Sequence[Event]:
    return events.create.many(
        [(owner_id, values, context.now) for context, owner_id, values in steps]
    )


def change(context: RequestContext, row: Event, values: Values) -> None:
    feed = ownership.check(context.actor, row, values)
    if feed is not None:
        row.order_id = orders.move(feed, row, values, context.actor, context.now).id
        return
    user_id, plan = row.calendar.user_id, plan_id(row)
    events.change(row, values, context.now)
    if plan_id(row) != plan:
        _another_plan(context, row)
    if row.calendar.user_id != user_id:
        permissions.check_moved(row)


def _another_plan(context: RequestContext, row: Event) -> None:
    """Let the source of the event make its alarms again, if the event has no plan any more."""
    if ownership.feed_of(row) is not None:
        feeds.read_anew(row.calendar, context.now)
    if plan_id(row) is None and row.parent_event is not None:
        children.follow_source(row, row.parent_event, context.now)


def delete(context: RequestContext, row: Event) -> None:
    events.delete(row, context.now)


def list_child(context: RequestContext, row: Event, values: Values) -> Any:
    """List the child events: one as an object, several as a list"""
    shown = [
        {
            "url": context.links.to("event", child.id),
            "start": str(child.start.astimezone(UTC)),
            "end": str(child.end.astimezone(UTC)),
            "description": child.description or "",
            "title": child.title,
        }
        for child in events.children(row.id)
    ]
    return _bare(shown, "no child event found")


def list_alarm(context: RequestContext, row: Event, values: Values) -> Any:
    """List the alarms of the event: one as an object, several as a list"""
    shown = [
        {
            "url": context.links.to("alarm", alarm.id),
            "title": row.title,
            "phonenumber": alarm.alarm_phonenumber,
            "daily_start": str(alarm.daily_start),
            "daily_stop": str(alarm.daily_stop),
            "advance_notice": str(alarm.advance_notice),
            "maxretry": str(alarm.maxretry),
            "retry_delay": str(alarm.retry_delay),
            "num_attempt": str(alarm.num_attempt),
            "method": str(alarm.method),
            "status": str(alarm.status),
            "result": str(alarm.result),
            "created_date": str(alarm.created_date.astimezone(UTC)),
        }
        for alarm in call_log.alarms_of(row)
    ]
    return _bare(shown, "no child alarm found")


def _bare(items: list[dict[str, Any]], note: str) -> Any:
    """Return the predecessor's shape: one item, an array of several, or a note."""
    if not items:
        return {"note": note}
    return items[0] if len(items) == 1 else items


def update_last_child_status(context: RequestContext, row: Event, values: Values) -> dict[str, str]:
    """Pause, end or resume all occurrences of the series that have not begun"""
    ownership.check_occurrences(context.actor, row, "status")
    events.set_series_status(row, values["status"], context.now)
    return {"status": "event status has been updated"}


_TEXT = {"type": "string"}
_CHILD = json_schema.thing(
    {
        "url": json_schema.LINK,
        **dict.fromkeys(("start", "end", "description", "title"), _TEXT),
    },
    "ChildEvent",
)
_ALARM = json_schema.thing(
    {
        "url": json_schema.LINK,
        **dict.fromkeys(
            (
                *("title", "phonenumber", "daily_start", "daily_stop", "advance_notice"),
                *("maxretry", "retry_delay", "num_attempt", "method", "status", "result"),
                "created_date",
            ),
            _TEXT,
        ),
    },
    "EventAlarm",
)

EVENT = Resource(
    name="event",
    model=Event,
    form=EventForm,
    searched=True,
    filters={
        "calendar": Event.calendar,
        "creator": Event.creator,
        "person": Event.person,
        "status": Event.status,
        "parent_event": Event.parent_event,
        "type": Event.type,
        "start": Event.start,
        "end": Event.end,
        "attended": ATTENDED,
    },
    orders={"start": Event.start},
    weigh=weigh,
    create=create,
    once=not_planned,
    once_shown={
        "not_planned": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Only in the reply to a POST: the steps of the reminder plan that"
            " nobody can be reached for, each with what is missing.",
        }
    },
    change=change,
    delete=delete,
    parent="calendar",
    example={
        "title": "Dentist",
        "start": "2040-01-09T10:00:00+01:00",
        "end": "2040-01-09T10:30:00+01:00",
        "calendar": "/rest-api/calendar/1/",
        "rule": "/rest-api/rule/6/",
        "end_recurring_period": "2040-03-09T10:00:00+01:00",
        "data": {"doc_name": "Doctor Smith"},
    },
    actions=(
        Action("get_list_child", "GET", list_child, reply=json_schema.bare(_CHILD)),
        Action("get_list_alarm", "GET", list_alarm, reply=json_schema.bare(_ALARM)),
        Action(
            "update_last_child_status",
            "PATCH",
            update_last_child_status,
            StatusForm,
            reply=json_schema.DONE,
            example={"status": 3},
        ),
        *occurrences.ACTIONS,
    ),
)
