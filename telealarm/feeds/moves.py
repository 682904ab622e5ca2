"""Moves an event at its CalDAV source: the edit of its resource."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import icalendar

from telealarm.clock import utcnow
from telealarm.errors import Conflict
from telealarm.feeds.answers import only
from telealarm.feeds.caldav import Edit, Kept


def edit(was: datetime, start: datetime, end: datetime, zone: ZoneInfo) -> tuple[Edit, Kept]:
    """Return how a resource is edited to move its event, and how to see that it was kept.

    `was`: the start as we know it: if the source has another one, it has moved the event itself.
    `zone`: that of a time without one.
    """

    def move(calendar: icalendar.Calendar) -> None:
        event = only(calendar)
        if _start(event, zone) != was:
            raise Conflict("The source has moved the event already; it follows with the next poll.")
        like = event.get("DTSTART")
        assert isinstance(like, icalendar.vDDDTypes)
        event.pop("DURATION", None)
        event["DTSTART"], event["DTEND"] = _like(like, start, zone), _like(like, end, zone)
        event["SEQUENCE"] = icalendar.vInt(int(event.get("SEQUENCE", 0)) + 1)
        for name in ("DTSTAMP", "LAST-MODIFIED"):
            event[name] = icalendar.vDatetime(utcnow().replace(microsecond=0))

    def kept(calendar: icalendar.Calendar) -> bool:
        return _start(only(calendar), zone) == start

    return move, kept


def _start(event: icalendar.Event, zone: ZoneInfo) -> datetime:
    start = getattr(event.get("DTSTART"), "dt", None)
    if not isinstance(start, datetime):
        raise Conflict("The event is of whole days in the source; move it there.")
    return _aware(start, zone).astimezone(UTC)


def _aware(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)


def _like(old: icalendar.vDDDTypes, moment: datetime, zone: ZoneInfo) -> icalendar.vDDDTypes:
    """Return the moment in the zone, and with the parameters, of the old time."""
    was = old.dt
    assert isinstance(was, datetime)
    there = moment.astimezone(was.tzinfo or zone)
    made = icalendar.vDDDTypes(there if was.tzinfo is not None else there.replace(tzinfo=None))
    made.params = old.params
    return made
