"""What the source of a calendar feed owns of an event: only the source changes it.

Times, title, place and status are the source's. The rest is ours: the person, who came, alarms.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from telealarm.errors import Invalid
from telealarm.models import BaseModel, CalendarFeed, Event
from telealarm.store.audit import Actor
from telealarm.store.calendars import events
from telealarm.store.engine import time_zones
from telealarm.store.feeds.feeds import SOURCE
from telealarm.words import AuditRoad, FeedKind

OWNED = (
    *("title", "start", "end", "timezone", "rule", "end_recurring_period", "exdate", "status"),
    "calendar",
)
# The place, among the placeholders.
_DATA, _PLACE = "data", "location"
_USUAL = timedelta(hours=1)
_MOVE = {"start", "end"}
_ALONE = "must not be changed together with the time, which its source is asked to change"


def feed_of(event: Event) -> CalendarFeed | None:
    """Return the feed whose source owns the event; None: the event is ours."""
    first = event
    if event.import_source is None and event.parent_event_id is not None:
        first = Event.get_by_id(event.parent_event_id)
    if first.import_source != SOURCE:
        return None
    return CalendarFeed.get_or_none(CalendarFeed.calendar == first.calendar_id)


def check(actor: Actor, event: Event, values: Mapping[str, Any]) -> CalendarFeed | None:
    """Raise Invalid if an edit changes what the source of a feed owns. Its own polls may.

    Return the feed if its source can be asked to move the event, and the edit does nothing else.
    """
    names = changed(event, values)
    if not names or actor.road == AuditRoad.FEED:
        return None
    feed = feed_of(event)
    if feed is None:
        return None
    single = event.rule_id is None and event.parent_event_id is None
    if feed.kind != FeedKind.CALDAV or not single or not {*names} <= _MOVE:
        raise Invalid({name: [_sentence(feed)] for name in names})
    others = [name for name in values if name not in OWNED and not _is_kept(event, name, values)]
    if others:
        raise Invalid({name: [_ALONE] for name in others})
    return feed


def check_occurrences(actor: Actor, event: Event, name: str) -> None:
    """Raise Invalid on the field `name`: occurrences of a series are the source's too."""
    feed = None if actor.road == AuditRoad.FEED else feed_of(event)
    if feed is not None:
        raise Invalid({name: [_sentence(feed)]})


def changed(event: Event, values: Mapping[str, Any]) -> list[str]:
    """Return the fields of `values` that differ from what the event has, and that a source owns."""
    names = [name for name in OWNED if name in values and not _same(event, name, values[name])]
    if _DATA in values and _place(values[_DATA]) != _place(event.data):
        names.append(_DATA)
    return names


def _same(event: Event, name: str, value: Any) -> bool:
    if isinstance(value, BaseModel):
        return bool(value.id == getattr(event, f"{name}_id"))
    if name in ("rule", "calendar"):
        return bool(value == getattr(event, f"{name}_id"))
    if name == "exdate":
        return [moment.isoformat() for moment in value or ()] == event.exdate
    if name == "start" and value is None:
        return True
    if name == "end" and value is None:
        value = event.start + _USUAL
    if isinstance(value, datetime):
        value = events.to_utc(name, value, time_zones.of_event(event))
    return bool(value == getattr(event, name))


def _is_kept(event: Event, name: str, values: Mapping[str, Any]) -> bool:
    value = values[name]
    return bool(event.__data__.get(name) == (value.id if isinstance(value, BaseModel) else value))


def _place(data: Mapping[str, Any] | None) -> Any:
    return (data or {}).get(_PLACE)


def _sentence(feed: CalendarFeed) -> str:
    return (
        f"belongs to the source of the calendar feed {feed.name!r} (calendar-feed/{feed.id}/);"
        " change it there"
    )
