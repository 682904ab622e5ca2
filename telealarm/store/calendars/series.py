"""The series of a recurring event: its occurrences, and the child events that are made of them.

Children are made ahead from the one anchor, the parent's local start: the next one, and any whose
alarm fires within AHEAD. What is to be made is worked out by `look`, in a reader thread, and
written by `make`, if the parent is then as it was; an edit of the parent or of its alarms is
brought to its children in the same way. So a crash, an outage or a deleted child ends no series,
and of one occurrence there never are two children, whatever the clock does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from peewee import fn

from telealarm.errors import Invalid, NeverOccurs, RecurrenceError, Stale
from telealarm.models import Event
from telealarm.rules import dates
from telealarm.rules.recurrence import Occurrence, Series, parse
from telealarm.store.calendars import children
from telealarm.store.engine import crud, time_zones
from telealarm.words import EventStatus

AHEAD = timedelta(hours=48)
# How many children are made of one parent in one write, so that nobody else waits for long.
CROWD = 20
# How long a parent waits that could not be looked at for a fault of ours or of its data.
PUT_OFF = timedelta(hours=1)
# How many children that are not yet begun are compared with a series that was edited.
_COMPARED = 5000
_TICK = datetime.resolution


@dataclass(frozen=True)
class Look:
    """What is to be made of a parent. It holds while the parent still is as it was `seen`."""

    parent_id: int
    seen: Mapping[str, Any]
    # Start and end of each occurrence, in order, for which there is to be a child.
    wanted: list[tuple[datetime, datetime]] = field(default_factory=list)
    # Children whose occurrence is no more, and those that get another one of the same day.
    gone: list[int] = field(default_factory=list)
    retimed: dict[int, datetime] = field(default_factory=dict)
    made_to: datetime | None = None
    next_due: datetime | None = None


def of(event: Event) -> Series | None:
    """The series of a parent event, None of any other. Raises ValueError where it has none."""
    if event.rule is None or event.parent_event_id is not None:
        return None
    rule = event.rule
    zone = time_zones.of_event(event)
    anchor = event.start.astimezone(zone).replace(tzinfo=None)
    if event.said_start:
        anchor = datetime.fromisoformat(event.said_start)
    return Series(
        anchor,
        zone,
        parse(rule.frequency, rule.params, rule.rrule),
        end=event.end_recurring_period,
        exdates=frozenset(datetime.fromisoformat(text) for text in event.exdate or ()),
    )


def check(event: Event) -> None:
    """Refuse a rule that cannot be used from the start of `event`. Raises Invalid on `rule`."""
    try:
        series = of(event)
        if series is not None:
            series.check()
    except NeverOccurs:
        raise Invalid(
            {"rule": ["from this start the rule never occurs again; change start or rule"]}
        ) from None
    except (RecurrenceError, ValueError) as error:
        raise Invalid({"rule": [str(error)]}) from None


def end_of(event: Event, occurrence: Occurrence, series: Series) -> datetime:
    """When an occurrence ends (UTC): it keeps the wall clock, so that 9 to 10 stays 9 to 10.

    One that steps in elapsed time, or that a change of the clock would leave without any time,
    lasts as long as the event itself.
    """
    elapsed = occurrence.start + (event.end - event.start)
    if series.recurrence.is_elapsed():
        return min(elapsed, dates.LATEST)
    wall = event.end.astimezone(series.zone).replace(tzinfo=None) - series.anchor
    try:
        found = dates.to_utc(occurrence.local + wall, series.zone)
    except (ValueError, OverflowError):
        return dates.LATEST
    return found if found > occurrence.start else min(elapsed, dates.LATEST)


def due(now: datetime, limit: int, newest: int) -> list[int]:
    """The ids of the parents that are to be looked at, those that wait longest first.

    Before them come the `newest`: after an outage who writes or edits an event does not wait
    behind ten thousand others.
    """
    parents = Event.select(Event.id).where(Event.next_child_due <= now)
    last = parents.order_by(Event.next_child_due.desc()).limit(newest)
    first = parents.order_by(Event.next_child_due).limit(limit)
    return list(dict.fromkeys(row.id for query in (last, first) for row in query))


def next_due() -> datetime | None:
    """When the next parent is to be looked at."""
    waiting = Event.select(fn.MIN(Event.next_child_due)).where(Event.next_child_due.is_null(False))
    return crud.selected_moment(waiting)


def look(parent_id: int, now: datetime) -> Look | None:
    """What is to be made of a parent now. Reads only. Raises RecurrenceError, ValueError."""
    parent = Event.get_or_none(Event.id == parent_id, Event.next_child_due <= now)
    if parent is None:
        return None
    names = ("made_to", "next_child_due", "series_edited")
    seen = {name: getattr(parent, name) for name in names}
    made_to = parent.made_to or now
    if parent.series_edited:
        made_to = min(made_to, now)
    # The parent is its own first occurrence.
    made_to = max(made_to, parent.start)
    series = None if parent.deleted else of(parent)
    gone, retimed = _compare(parent, series, now) if parent.series_edited else ([], {})
    if series is None or parent.children_status == EventStatus.COMPLETED:
        return Look(parent_id, seen, gone=gone, retimed=retimed, made_to=made_to)

    # There always is a next child, also while the parent itself lies ahead.
    begun = max(now, parent.start)
    found = series.occurrences(made_to + _TICK, None, CROWD + 1)
    there = [_furthest(parent, now, gone) or made_to, *retimed.values()]
    lead, furthest = _lead(parent), max(there)
    wanted: list[tuple[datetime, datetime]] = []
    following = now if len(found) > CROWD else None
    for occurrence in found[:CROWD]:
        fires = None if lead is None else occurrence.start - lead - AHEAD
        if made_to > begun and occurrence.start > furthest and (fires is None or fires > now):
            following = made_to if fires is None else min(made_to, fires)
            break
        wanted.append((occurrence.start, end_of(parent, occurrence, series)))
        made_to = occurrence.start
    return Look(parent_id, seen, wanted, gone, retimed, made_to, following)


def make(look: Look, now: datetime) -> int:
    """Write what was looked up; how many children are new. Raises Stale where it does not hold."""
    unchanged = Event.id == look.parent_id
    for name, value in look.seen.items():
        column = getattr(Event, name)
        unchanged &= column.is_null() if value is None else column == value
    written = Event.update(
        made_to=look.made_to, next_child_due=look.next_due, series_edited=False
    ).where(unchanged)
    if written.execute() != 1:
        raise Stale(f"event {look.parent_id} was changed by another")
    children.hide(look.gone, now)
    for child_id, original in look.retimed.items():
        Event.update(original_start=original).where(Event.id == child_id).execute()
    if not look.wanted:
        return 0
    parent = Event.get_by_id(look.parent_id)
    return children.bring_up_to_date(parent, look.wanted, now)


def put_off(parent_id: int, now: datetime) -> None:
    """A parent that cannot be looked at waits, and stops none of the others."""
    Event.update(next_child_due=now + PUT_OFF).where(
        Event.id == parent_id, Event.next_child_due <= now
    ).execute()


def _lead(parent: Event) -> timedelta | None:
    """How long before an occurrence its first alarm fires; None where it has no alarm."""
    seconds = [alarm.advance_notice - alarm.offset for alarm in children.templates(parent)]
    return timedelta(seconds=max(seconds)) if seconds else None


def _furthest(parent: Event, now: datetime, gone: list[int]) -> datetime | None:
    """The last occurrence that has a child which is not begun and follows its parent."""
    there = children.following(parent.id, now).where(Event.id.not_in(gone or [0]))
    return crud.selected_moment(there.select(fn.MAX(Event.original_start)))


def _compare(
    parent: Event, series: Series | None, now: datetime
) -> tuple[list[int], dict[int, datetime]]:
    """The children not yet begun that an edited series has no place for; and those that have
    a new place on the same local day.

    A child that was edited by itself keeps its place, unless it is excluded by name.
    """
    pool = list(children.ahead(parent.id, now).order_by(Event.original_start))
    if series is None or not pool:
        return [child.id for child in pool if not child.detached], {}
    since = max(now, parent.start) + _TICK
    until = max(children.place(child) for child in pool) + timedelta(days=1)
    occurs = {o.start for o in series.occurrences(since, until, _COMPARED)}
    taken = {children.place(child) for child in children.known(parent.id, occurs)}
    free: dict[date, list[datetime]] = {}
    for start in sorted(occurs - taken, reverse=True):
        free.setdefault(start.astimezone(series.zone).date(), []).append(start)
    gone, retimed = [], {}
    for child in pool:
        original = children.place(child)
        if original in occurs or (child.detached and not series.excludes(original)):
            continue
        places = free.get(original.astimezone(series.zone).date())
        if places and not child.detached:
            retimed[child.id] = places.pop()
        else:
            gone.append(child.id)
    return gone, retimed
