"""The occurrences of one event: list, move, cancel them. Not all of them are rows yet."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from telealarm.errors import Invalid, RecurrenceError
from telealarm.models import Alarm, Event
from telealarm.rules.recurrence import Series
from telealarm.store.alarms import parents
from telealarm.store.calendars import called_off, children, events, series
from telealarm.store.engine import crud, time_zones
from telealarm.store.reminder_plans import notices
from telealarm.words import AlarmStatus, Reason, StepTrigger

_TICK = datetime.resolution
_CANCELLED = StepTrigger.CANCELLED


@dataclass(frozen=True)
class Told:
    """An occurrence. `event_id` is its event, once it is a row. Times are in UTC."""

    start: datetime
    end: datetime
    event_id: int | None


@dataclass(frozen=True)
class OccurrencePage:
    """Some occurrences. `count` is the total (None: endless), `following` starts the next page."""

    told: list[Told]
    count: int | None
    following: datetime | None


def page(
    event: Event, after: datetime | None, before: datetime | None, limit: int
) -> OccurrencePage:
    """Return the first `limit` occurrences from `after` (inclusive) to `before` (exclusive).

    A naive time is local to the event. An event without a rule has one occurrence. Raises Invalid.
    """
    zone = time_zones.of_event(event)
    since = None if after is None else events.to_utc("after", after, zone)
    until = None if before is None else events.to_utc("before", before, zone)
    try:
        pattern = series.of(event)
        if pattern is None:
            return _of_one(event, since, until)
        return _of_series(event, pattern, since, until, limit)
    except (RecurrenceError, ValueError) as error:
        raise Invalid({"rule": [str(error)]}) from None


def cancel(event: Event, start: datetime, now: datetime) -> None:
    """Cancel the occurrence at `start`: add it to `exdate` and cancel its alarms.

    Raises Invalid if there is none.
    """
    pattern, original, child = _find(event, start)
    local = original.astimezone(time_zones.of_event(event))
    # Only its offset distinguishes the second of two equal wall times.
    exdate = (local if local.fold else local.replace(tzinfo=None)).isoformat()
    if exdate not in event.exdate:
        crud.change(event, {"exdate": [*event.exdate, exdate]})
    if child is None and original != event.start and notices.has_step(event, _CANCELLED):
        # It becomes an event, so that its person is told.
        occurrence = pattern.occurrences(original, original + _TICK, 1)[0]
        end = series.end_of(event, occurrence, pattern)
        child = children.make(event, original, original, end, [], now)
    if child is not None:
        events.delete(child, now)
    elif original == event.start:
        events.give_up_own(event, Reason.OCCURRENCE_CANCELLED, now)
    parents.edited([event.id], now)


def move(event: Event, start: datetime, to: datetime, now: datetime) -> Event:
    """Move the occurrence at `start` to `to`. Return its event. Raises Invalid.

    If it is the first occurrence it becomes a child. So the others still count from its place.
    """
    pattern, original, child = _find(event, start)
    begin = events.to_utc("to", to, time_zones.of_event(event))
    if child is not None:
        events.change(child, {"start": begin, "end": begin + _lasts(child)}, now)
        return child
    occurrence = pattern.occurrences(original, original + _TICK, 1)[0]
    end = begin + (series.end_of(event, occurrence, pattern) - occurrence.start)
    copied = children.templates(event)
    if original == event.start:
        events.give_up_own(event, Reason.OCCURRENCE_MOVED, now)
    child = children.make(event, original, begin, end, copied, now, detached=True)
    if begin != original:
        notices.tell(child, StepTrigger.MOVED, now)
    parents.edited([event.id], now)
    return child


def put_back(event: Event, child: Event, now: datetime) -> None:
    """Let a moved or edited occurrence follow its series again. What was cancelled stays so."""
    Event.update(detached=False).where(Event.id == child.id).execute()
    if children.place(child) == event.start and event.end > now:
        called_off.rearm(event, Reason.OCCURRENCE_MOVED, now, but=_cancelled_of(child))
        children.hide([child.id], now)
    parents.edited([event.id], now)


def _cancelled_of(child: Event) -> set[int | None]:
    """Return the parent's alarms whose copies a client cancelled in this occurrence."""
    cancelled = Alarm.select(Alarm.origin).where(
        Alarm.event == child.id,
        Alarm.status == AlarmStatus.CANCELLED,
        Alarm.status_reason == Reason.CANCELLED,
    )
    return {alarm.origin_id for alarm in cancelled}


def _of_one(event: Event, since: datetime | None, until: datetime | None) -> OccurrencePage:
    inside = (since is None or since <= event.start) and (until is None or event.start < until)
    occurrences = [Told(event.start, event.end, event.id)] if inside else []
    return OccurrencePage(occurrences, len(occurrences), None)


def _of_series(
    event: Event,
    pattern: Series,
    since: datetime | None,
    until: datetime | None,
    limit: int,
) -> OccurrencePage:
    aside, moved = _exceptions(event)
    series_alone = Series(
        pattern.anchor,
        pattern.zone,
        pattern.recurrence,
        end=pattern.end,
        exdates=pattern.exdates | aside,
    )
    moved = [
        occurrence
        for occurrence in moved
        if (since is None or since <= occurrence.start)
        and (until is None or occurrence.start < until)
    ]
    ruled = series_alone.occurrences(since, until, limit + 1)
    existing = _made(event, [o.start for o in ruled])
    occurrences = [
        existing.get(o.start) or Told(o.start, series.end_of(event, o, pattern), None)
        for o in ruled
    ]
    in_order = sorted([*occurrences, *moved], key=lambda occurrence: occurrence.start)
    count = series_alone.count(since, until)
    return OccurrencePage(
        in_order[:limit],
        None if count is None else count + len(moved),
        in_order[limit].start if len(in_order) > limit else None,
    )


def _exceptions(event: Event) -> tuple[frozenset[datetime], list[Told]]:
    """Return the places of deleted and moved occurrences, and the moved occurrences."""
    rows = Event.select().where(
        Event.parent_event == event.id,
        Event.original_start.is_null(False),
        Event.deleted.is_null(False) | (Event.start != Event.original_start),
    )
    aside, moved = set(), []
    for child in rows:
        aside.add(children.place(child))
        if child.deleted is None:
            moved.append(Told(child.start, child.end, child.id))
    return frozenset(aside), moved


def _made(event: Event, starts: list[datetime]) -> dict[datetime, Told]:
    """Return those of these occurrences that are rows. The first is the event itself."""
    rows = children.known(event.id, starts)
    by_place = {children.place(child): Told(child.start, child.end, child.id) for child in rows}
    return {event.start: Told(event.start, event.end, event.id), **by_place}


def _find(event: Event, start: datetime) -> tuple[Series, datetime, Event | None]:
    """Return the series, the place and (if it is a row) the child of the occurrence at `start`."""
    pattern = series.of(event)
    if pattern is None:
        raise Invalid({"start": ["the event does not recur; edit or delete it itself"]})
    moment = events.to_utc("start", start, time_zones.of_event(event))
    child = (
        Event.select()
        .where(
            Event.parent_event == event.id,
            Event.original_start.is_null(False),
            Event.deleted.is_null(),
            (Event.start == moment) | (Event.original_start == moment),
        )
        .order_by(Event.start != moment)
        .get_or_none()
    )
    if child is not None:
        return pattern, children.place(child), child
    deleted = Event.select().where(
        Event.parent_event == event.id,
        Event.original_start == moment,
        Event.deleted.is_null(False),
    )
    try:
        if not deleted.exists() and pattern.occurrences(moment, moment + _TICK, 1):
            return pattern, moment, None
    except RecurrenceError as error:
        raise Invalid({"rule": [str(error)]}) from None
    raise Invalid({"start": ["the series has no occurrence then; occurrences/ lists them"]})


def _lasts(event: Event) -> timedelta:
    return event.end - event.start
