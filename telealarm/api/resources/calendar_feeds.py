"""calendar-feed/: calendars that live elsewhere, and are mirrored into a calendar."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from telealarm.api.core.request_context import RequestContext, stamp
from telealarm.api.fields import json_schema
from telealarm.api.fields.base import Absent, FieldType, Schema
from telealarm.api.fields.choices import OneOf
from telealarm.api.fields.form import Form
from telealarm.api.fields.numbers import Whole
from telealarm.api.fields.relation import Relation
from telealarm.api.fields.reply import CREATED, UPDATED, Column, Computed, SelfLink
from telealarm.api.fields.texts import Credential, CredentialUrl, Phone, Text
from telealarm.api.resources.gateways import STATUS
from telealarm.api.rest.resource import Action, Resource, Values
from telealarm.errors import Invalid
from telealarm.models import CalendarFeed, CalendarFeedOrder, Event
from telealarm.models.calendar_feed import DEFAULT_POLL_SECONDS
from telealarm.models.gateway import ACTIVE
from telealarm.rules import feed_pattern
from telealarm.rules.url_guard import UrlGuard
from telealarm.store.feeds import feeds, orders
from telealarm.words import FeedAnswers, FeedKind, FeedNumberField, FeedOrderKind, FeedState

# So many events are shown of those that somebody must look at.
_SHOWN = 100
_WEEK = 7 * 86_400
_YEAR = 366 * 86_400


class Names(FieldType):
    """A list of names. Empty: all."""

    def read(self, value: Any) -> list[str]:
        if not isinstance(value, list) or len(value) > 50:
            raise ValueError("must be a list of at most 50 names")
        return [Text(100, 1).read(name) for name in value]

    def schema(self) -> Schema:
        return {"type": "array", "maxItems": 50, "items": Text(100, 1).schema()}


class NumberFields(FieldType):
    """Where the number is looked for, in this order. Empty: nowhere."""

    def read(self, value: Any) -> list[str]:
        known = [word.value for word in FeedNumberField]
        if not isinstance(value, list) or not all(word in known for word in value):
            raise ValueError(f"must be a list of some of {', '.join(known)}")
        return list(dict.fromkeys(value))

    def schema(self) -> Schema:
        words = json_schema.words(FeedNumberField, "FeedNumberField")
        return {"type": "array", "items": words}


class QuickPattern(Text):
    """A regular expression."""

    def read(self, value: Any) -> str:
        pattern = super().read(value)
        if pattern and not feed_pattern.is_quick(pattern):
            raise ValueError(feed_pattern.RIGHT)
        return pattern

    def schema(self) -> Schema:
        return {**self.line(), "format": "regex", "examples": ["Tel: ([+0-9 ]{6,20})"]}


def host(context: RequestContext, row: CalendarFeed) -> str:
    return _origin(row.source_url)


def _origin(url: str) -> str:
    """Return the scheme, host and port of an address, which was checked when it was written."""
    return UrlGuard(["0.0.0.0/0", "::/0"]).check(url).origin


def asked(context: RequestContext, row: CalendarFeed) -> dict[str, Any] | None:
    if row.asked is None:
        return None
    ids = row.asked["ids"]
    gone = Event.select().where(Event.id.in_(ids[:_SHOWN])).order_by(Event.start)
    return {
        "doubt": row.asked["doubt"],
        "count": len(ids),
        "events": [
            {
                "event": context.links.to("event", event.id),
                "title": event.title,
                "start": stamp(event.start),
            }
            for event in gone
        ],
    }


_GONE = json_schema.thing(
    {"event": json_schema.LINK, "title": {"type": "string"}, "start": json_schema.MOMENT},
    "GoneEvent",
)
_ASKED = json_schema.thing(
    {
        "doubt": {"type": "string"},
        "count": {"type": "integer", "minimum": 1},
        "events": {"type": "array", "items": _GONE},
    },
    "FeedQuestion",
)


class CalendarFeedForm(Form):
    url: ClassVar = SelfLink("calendar-feed")
    name: Annotated[str, Text(200, 1)]
    """The name of the feed, for lists and messages."""
    calendar: Annotated[int, Relation("calendar")]
    """The calendar that the feed fills. It has no other feed, and stays the same."""
    kind: Annotated[str, OneOf(tuple(FeedKind))] = FeedKind.ICS
    """What the source is."""
    source_url: Annotated[str | Absent, CredentialUrl(min_length=1)] = Absent.LEFT_OUT
    """The address of the source. It is never shown: whoever has it may read the calendar."""
    host: ClassVar = Computed(
        host, {"type": "string"}, meaning="The part of `source_url` that is no secret."
    )
    username: Annotated[str, Text(200)] = ""
    """The login at the source, by HTTP Basic. Empty: none."""
    password: Annotated[str | Absent, Credential(200)] = Absent.LEFT_OUT
    """The password at the source. It is never shown."""
    poll_seconds: Annotated[int, Whole(60, _WEEK)] = DEFAULT_POLL_SECONDS
    """How often the source is read."""
    status: Annotated[int, STATUS] = ACTIVE
    """Whether the source is read."""
    categories: Annotated[list[str], Names()] = Field(default_factory=list)
    """Only events with one of these categories count. Empty: all events."""
    title_pattern: Annotated[str, QuickPattern(200)] = ""
    """Only events count in whose title this is found. Empty: all events."""
    number: Annotated[str, Phone()] = ""
    """The number for the alarms of events in which no number is found. Empty: they get none."""
    number_fields: Annotated[list[str], NumberFields()] = Field(default_factory=list)
    """In which parts of an event the number of its alarms is looked for."""
    number_pattern: Annotated[str, QuickPattern(200)] = ""
    """What a number looks like. If it has a group, that is the number. Empty: a number of 7 to 20
    digits with the usual separators.
    """
    advance_notice: Annotated[int, Whole(0, _YEAR)] = 0
    """How many seconds before an event its alarm is due, if the source has no alarm for it."""
    answers: Annotated[str, OneOf(tuple(FeedAnswers))] = FeedAnswers.NONE
    """How a CalDAV source is told what a recipient answered, within seconds."""
    state: ClassVar = Column(
        shape=json_schema.words(FeedState, "FeedState"), meaning="How the last poll ended."
    )
    error: ClassVar = Column(meaning="Why the last poll failed. Empty: it did not.")
    last_poll: ClassVar = Column(meaning="When the last poll ended.")
    last_success: ClassVar = Column(meaning="When the source was last read.")
    next_poll: ClassVar = Column(meaning="When the next poll is due. null: the feed is off.")
    etag: ClassVar = Column(meaning="The version of the source that was read.")
    events: ClassVar = Column(meaning="How many events of the source are on in the calendar.")
    remarks: ClassVar = Column(
        shape={"type": "array", "items": {"type": "string"}},
        meaning="What of the source could not be read, at the last poll that found a change.",
    )
    asked: ClassVar = Computed(
        asked,
        json_schema.nullable(_ASKED),
        meaning="The events that are gone from the source, if somebody must look at them before"
        " they are called off by `confirm/`.",
    )
    created_date: ClassVar = CREATED
    updated_date: ClassVar = UPDATED


def create(context: RequestContext, owner_id: int, values: Values) -> CalendarFeed:
    _check_pause(context, values)
    _check_answers(values["kind"], values["answers"])
    return feeds.add(owner_id, values, context.feeds.per_manager, context.now)


def change(context: RequestContext, row: CalendarFeed, values: Values) -> None:
    _check_pause(context, values)
    _check_answers(values.get("kind", row.kind), values.get("answers", row.answers))
    elsewhere = _origin(values.get("source_url", row.source_url)) != _origin(row.source_url)
    if elsewhere and "password" not in values:
        # Nobody gets the password by naming an address of their own.
        values["password"] = ""
    feeds.change(row, values, context.now)


def _check_pause(context: RequestContext, values: Values) -> None:
    least = context.feeds.least_poll_seconds
    if values.get("poll_seconds", least) < least:
        raise Invalid({"poll_seconds": [f"must be {least} at least here"]})


def _check_answers(kind: str, answers: str) -> None:
    if kind == FeedKind.ICS and answers != FeedAnswers.NONE:
        raise Invalid({"answers": ["a file of iCalendar is only read; its kind must be caldav"]})


def delete(context: RequestContext, row: CalendarFeed) -> None:
    feeds.remove(row)


def refresh(context: RequestContext, row: CalendarFeed, values: Values) -> dict[str, Any]:
    """Read the source now, and not only when the next poll is due"""
    feeds.refresh(row, context.now)
    return CALENDAR_FEED.show(context, row)


def confirm(context: RequestContext, row: CalendarFeed, values: Values) -> dict[str, Any]:
    """Call off the events in `asked`, if they are still gone when the source is read now"""
    feeds.confirm(row, context.now)
    return CALENDAR_FEED.show(context, row)


def preview(context: RequestContext, row: CalendarFeed, values: Values) -> CalendarFeedOrder:
    """Read the source now, and show what a poll would make of it. Nothing is written

    Waits up to 10 seconds for the source, and answers 503 then. The feed may be switched off.
    """
    return orders.add(row, FeedOrderKind.PREVIEW, context.actor, context.now)


_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_PREVIEW = json_schema.thing(
    {
        "count": _COUNT,
        "left_out": _COUNT,
        "without_number": _COUNT,
        "events": {
            "type": "array",
            "items": json_schema.thing(
                {
                    "title": _TEXT,
                    "start": _TEXT,
                    "number": {"type": ["string", "null"]},
                    "cancelled": {"type": "boolean"},
                },
                "PreviewedEvent",
            ),
        },
        "refused": {"type": "array", "items": _TEXT},
    },
    "FeedPreview",
)
_REPLY = json_schema.ref("CalendarFeed")

CALENDAR_FEED = Resource(
    name="calendar-feed",
    model=CalendarFeed,
    form=CalendarFeedForm,
    filters={
        "calendar": CalendarFeed.calendar,
        "kind": CalendarFeed.kind,
        "status": CalendarFeed.status,
        "state": CalendarFeed.state,
    },
    create=create,
    change=change,
    delete=delete,
    parent="calendar",
    secrets=("source_url", "password"),
    actions=(
        Action("refresh", "POST", refresh, reply=_REPLY),
        Action("confirm", "POST", confirm, reply=_REPLY),
        Action("preview", "POST", preview, writes=False, ordered=True, reply=_PREVIEW),
    ),
    example={
        "name": "Practice",
        "calendar": "/rest-api/calendar/1/",
        "source_url": "https://calendar.example.com/practice.ics",
        "number_fields": ["description", "location"],
        "advance_notice": 86400,
    },
)
