"""The series of a recurring event: its occurrences, and the child events that are their rows.

Children are created ahead, from the anchor, which is the parent's local start: the next child, and
those whose alarm fires within AHEAD.

1. `plan` computes in a reader thread what to create.
2. `make` writes it, if the parent has not changed meanwhile.

An edit of the parent or of its alarms reaches its children in the same way. So a crash, an outage
or a deleted child never ends a series. An occurrence never gets two children, even if the clock
jumps.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from peewee import fn

from telealarm.errors import Invalid, NeverOccurs, RecurrenceError, Stale
from telealarm.models import Event
from telealarm.rules import dates
from telealarm.rules.recurrence import Occurrence, Series, parse
from telealarm.store.alarms import quota
from telealarm.store.calendars import children
from telealarm.store.engine import crud, time_zones
from telealarm.store.reminder_plans import notices
from telealarm.words import EventStatus, StepTrigger

AHEAD = timedelta(hours=48)
# How many children of one parent a write creates. Other writes must not wait for long.
BATCH = 20
# How long a parent waits that failed because of a fault in the code or its data.
PUT_OFF = timedelta(hours=1)
# How many children not yet begun are compared with an edited series.
_COMPARED = 5000
_TICK = datetime.resolution


@dataclass(frozen=True)
class SeriesPlan:
    """What to create for a parent. It is valid while the parent is as it was `seen`."""

    parent_id: int
    seen: Mapping[str, Any]
    # The start and end of each occurrence that needs a child, in order.
    wanted: list[tuple[datetime, datetime]] = field(default_factory=list)
    # Children without an occurrence, and children that move to another one on the same day.
    gone: list[int] = field(default_factory=list)
    retimed: dict[int, datetime] = field(default_factory=dict)
    made_to: datetime | None = None
    next_due: datetime | None = None


def of(event: Event) -> Series | None:
    """Return the series of a parent event, None for other events. Raises ValueError."""
    if event.rule is None or event.parent_event_id is not None:
        return None
    rule = event.rule
    clock = time_zones.of_event(event)
    zone = ZoneInfo(rule.timezone) if rule.timezone else clock
    anchor = event.start.astimezone(zone).replace(tzinfo=None)
    if event.said_start and zone == clock:
        anchor = datetime.fromisoformat(event.said_start)
    exdates = [datetime.fromisoformat(text) for text in event.exdate or ()]
    if zone != clock:
        # An exdate without an offset is on the clock of the event, and not on that of its rule.
        exdates = [moment if moment.tzinfo else moment.replace(tzinfo=clock) for moment in exdates]
    return Series(
        anchor,
        zone,
        parse(rule.frequency, rule.params, rule.rrule),
        end=event.end_recurring_period,
        exdates=frozenset(exdates),
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
    """Return when an occurrence ends (UTC). It keeps the wall clock: 9 to 10 stays 9 to 10.

    It lasts as long as the event itself if the rule steps in elapsed time, or if a change of the
    clock would leave it no time.
    """
    elapsed = occurrence.start + (event.end - event.start)
    if series.recurrence.is_elapsed():
        return min(elapsed, dates.LATEST)
    wall = event.end.astimezone(series.zone).replace(tzinfo=None) - series.anchor
    try:
        end = dates.to_utc(occurrence.local + wall, series.zone)
    except (ValueError, OverflowError):
        return dates.LATEST
    return end if end > occurrence.start else min(elapsed, dates.LATEST)


def wall_time(event: Event, occurrence: Occurrence, series: Series) -> datetime | None:
    """Return the wall time of the occurrence by its rule. None: the rule has another clock."""
    return occurrence.local if series.zone == time_zones.of_event(event) else None


def due(now: datetime, limit: int, newest: int) -> list[int]:
    """Return the ids of the parents that are due, the longest waiting first.

    The `newest` come before them. So after an outage a client that creates or edits an event does
    not wait behind ten thousand others.
    """
    parents = Event.select(Event.id).where(Event.next_child_due <= now)
    last = parents.order_by(Event.next_child_due.desc()).limit(newest)
    first = parents.order_by(Event.next_child_due).limit(limit)
    return list(dict.fromkeys(row.id for query in (last, first) for row in query))


def next_due() -> datetime | None:
    """Return when the next parent is due."""
    waiting = Event.select(fn.MIN(Event.next_child_due)).where(Event.next_child_due.is_null(False))
    return crud.selected_moment(waiting)


def plan(parent_id: int, now: datetime) -> SeriesPlan | None:
    """Return what to create for a parent now. It only reads. Raises RecurrenceError, ValueError."""
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
        return SeriesPlan(parent_id, seen, gone=gone, retimed=retimed, made_to=made_to)

    # There is always a next child, even while the parent itself is ahead.
    begun = max(now, parent.start)
    upcoming = series.occurrences(made_to + _TICK, None, BATCH + 1)
    following_ids = {child.id for child in children.following(parent.id, now)} if retimed else set()
    there = [_furthest(parent, now, gone) or made_to]
    there += [place for number, place in retimed.items() if number in following_ids]
    lead, furthest = _lead(parent), max(there)
    wanted: list[tuple[datetime, datetime]] = []
    following = now if len(upcoming) > BATCH else None
    for occurrence in upcoming[:BATCH]:
        fires = None if lead is None else occurrence.start - lead - AHEAD
        if made_to > begun and occurrence.start > furthest and (fires is None or fires > now):
            following = made_to if fires is None else min(made_to, fires)
            break
        wanted.append((occurrence.start, end_of(parent, occurrence, series)))
        made_to = occurrence.start
    return SeriesPlan(parent_id, seen, wanted, gone, retimed, made_to, following)


def make(plan: SeriesPlan, now: datetime) -> int:
    """Write what `plan` computed. Return how many children are new. Raises Stale."""
    unchanged = Event.id == plan.parent_id
    for name, value in plan.seen.items():
        column = getattr(Event, name)
        unchanged &= column.is_null() if value is None else column == value
    written = Event.update(
        made_to=plan.made_to, next_child_due=plan.next_due, series_edited=False
    ).where(unchanged)
    if written.execute() != 1:
        raise Stale(f"event {plan.parent_id} was changed by another")
    excluded = _excluded(plan, now)
    children.hide(plan.gone, now)
    for child in excluded:
        notices.tell(child, StepTrigger.CANCELLED, now)
    for child_id, original in plan.retimed.items():
        Event.update(original_start=original).where(Event.id == child_id).execute()
    if not plan.wanted:
        return 0
    parent = Event.get_by_id(plan.parent_id)
    with quota.missing_surplus():
        return children.bring_up_to_date(parent, plan.wanted, now)


def _excluded(plan: SeriesPlan, now: datetime) -> list[Event]:
    """Return the children that are gone because they were excluded, if a plan tells of that."""
    parent = Event.get_by_id(plan.parent_id) if plan.gone else None
    if parent is None or not notices.has_step(parent, StepTrigger.CANCELLED):
        return []
    pattern = of(parent)
    rows = Event.select().where(
        Event.id.in_(plan.gone), Event.start > now, Event.status != EventStatus.COMPLETED
    )
    return [one for one in rows if pattern is not None and pattern.excludes(children.place(one))]


def put_off(parent_id: int, now: datetime) -> None:
    """Put off a parent that fails, so that the others continue."""
    Event.update(next_child_due=now + PUT_OFF).where(
        Event.id == parent_id, Event.next_child_due <= now
    ).execute()


def _lead(parent: Event) -> timedelta | None:
    """Return how long before an occurrence its first alarm fires; None without alarms."""
    seconds = [alarm.advance_notice - alarm.offset for alarm in children.templates(parent)]
    return timedelta(seconds=max(seconds)) if seconds else None


def _furthest(parent: Event, now: datetime, gone: list[int]) -> datetime | None:
    """Return the last occurrence with a child that has not begun and follows its parent."""
    there = children.following(parent.id, now).where(Event.id.not_in(gone or [0]))
    return crud.selected_moment(there.select(fn.MAX(Event.original_start)))


def _compare(
    parent: Event, series: Series | None, now: datetime
) -> tuple[list[int], dict[int, datetime]]:
    """Compare the children not yet begun with an edited series.

    Return the children that have no place in it, and the new places of children that move on the
    same local day. A child that was edited or deleted itself moves its place only: so it stays the
    occurrence of that day. It keeps its place on another day, unless `exdate` excludes it.
    """
    pool = list(children.places_ahead(parent.id, now))
    if series is None or not pool:
        return [child.id for child in pool if not child.deleted and not child.detached], {}
    since = max(now, parent.start) + _TICK
    until = max(children.place(child) for child in pool) + timedelta(days=1)
    occurs = {o.start for o in series.occurrences(since, until, _COMPARED)}
    taken = {children.place(child) for child in children.known(parent.id, occurs)}
    free: dict[date, list[datetime]] = {}
    for start in sorted(occurs - taken, reverse=True):
        free.setdefault(start.astimezone(series.zone).date(), []).append(start)
    gone, retimed = [], {}
    # The occurrences that were cancelled or edited by themselves first: they stay so.
    for child in sorted(pool, key=lambda child: not (child.deleted or child.detached)):
        original = children.place(child)
        if original in occurs:
            continue
        excluded = child.deleted is None and series.excludes(original)
        places = free.get(original.astimezone(series.zone).date())
        if places and not (child.detached and excluded):
            retimed[child.id] = places.pop()
        elif child.deleted is None and (not child.detached or excluded):
            gone.append(child.id)
    return gone, retimed
