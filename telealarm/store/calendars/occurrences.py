"""The occurrences of one event: told in order, moved, called off; made or not yet made."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from telealarm.errors import Invalid, RecurrenceError
from telealarm.models import Event
from telealarm.rules.recurrence import Series
from telealarm.store.alarms import parents
from telealarm.store.calendars import children, events, series
from telealarm.store.engine import crud, time_zones
from telealarm.words import Reason

_TICK = datetime.resolution


@dataclass(frozen=True)
class Told:
    """An occurrence, and the id of its event, once that is made. Times are in UTC."""

    start: datetime
    end: datetime
    event_id: int | None


@dataclass(frozen=True)
class Page:
    """Some occurrences; how many there are in all (None: endless), and where the next page is."""

    told: list[Told]
    count: int | None
    following: datetime | None


def page(event: Event, after: datetime | None, before: datetime | None, limit: int) -> Page:
    """The first `limit` occurrences from `after` (inclusive) to `before` (exclusive).

    A naive time is local to the event. An event that does not recur has one. Raises Invalid.
    """
    zone = time_zones.of_event(event)
    since = None if after is None else events.to_utc("after", after, zone)
    until = None if before is None else events.to_utc("before", before, zone)
    try:
        found = series.of(event)
        if found is None:
            return _of_one(event, since, until)
        return _of_series(event, found, since, until, limit)
    except (RecurrenceError, ValueError) as error:
        raise Invalid({"rule": [str(error)]}) from None


def cancel(event: Event, start: datetime, now: datetime) -> None:
    """The occurrence at `start` does not happen: it is among `exdate`, its alarms are called off.

    Raises Invalid where there is none.
    """
    found, original, child = _find(event, start)
    local = original.astimezone(found.zone)
    # Only with its offset can the second of two equal wall times be told.
    said = (local if local.fold else local.replace(tzinfo=None)).isoformat()
    if said not in event.exdate:
        crud.change(event, {"exdate": [*event.exdate, said]})
    if child is not None:
        events.delete(child, now)
    elif original == event.start:
        events.give_up_own(event, Reason.OCCURRENCE_CANCELLED, now)
    parents.edited([event.id], now)


def move(event: Event, start: datetime, to: datetime, now: datetime) -> Event:
    """The occurrence at `start` happens at `to` instead; its event. Raises Invalid.

    The first occurrence becomes a child then, so that the others still count from its place.
    """
    found, original, child = _find(event, start)
    begin = events.to_utc("to", to, found.zone)
    if child is not None:
        events.change(child, {"start": begin, "end": begin + _lasts(child)}, now)
        return child
    occurrence = found.occurrences(original, original + _TICK, 1)[0]
    end = begin + (series.end_of(event, occurrence, found) - occurrence.start)
    copied = children.templates(event)
    if original == event.start:
        events.give_up_own(event, Reason.OCCURRENCE_MOVED, now)
    made = children.make(event, original, begin, end, copied, now, detached=True)
    parents.edited([event.id], now)
    return made


def _of_one(event: Event, since: datetime | None, until: datetime | None) -> Page:
    inside = (since is None or since <= event.start) and (until is None or event.start < until)
    told = [Told(event.start, event.end, event.id)] if inside else []
    return Page(told, len(told), None)


def _of_series(
    event: Event,
    found: Series,
    since: datetime | None,
    until: datetime | None,
    limit: int,
) -> Page:
    aside, moved = _exceptions(event)
    series_alone = Series(
        found.anchor,
        found.zone,
        found.recurrence,
        end=found.end,
        exdates=found.exdates | aside,
    )
    moved = [
        one
        for one in moved
        if (since is None or since <= one.start) and (until is None or one.start < until)
    ]
    ruled = series_alone.occurrences(since, until, limit + 1)
    made = _made(event, [o.start for o in ruled])
    told = [made.get(o.start) or Told(o.start, series.end_of(event, o, found), None) for o in ruled]
    in_order = sorted([*told, *moved], key=lambda one: one.start)
    count = series_alone.count(since, until)
    return Page(
        in_order[:limit],
        None if count is None else count + len(moved),
        in_order[limit].start if len(in_order) > limit else None,
    )


def _exceptions(event: Event) -> tuple[frozenset[datetime], list[Told]]:
    """The places of occurrences that are deleted or moved, and those that were moved."""
    found = Event.select().where(
        Event.parent_event == event.id,
        Event.original_start.is_null(False),
        Event.deleted.is_null(False) | (Event.start != Event.original_start),
    )
    aside, moved = set(), []
    for child in found:
        aside.add(children.place(child))
        if child.deleted is None:
            moved.append(Told(child.start, child.end, child.id))
    return frozenset(aside), moved


def _made(event: Event, starts: list[datetime]) -> dict[datetime, Told]:
    """Those of these occurrences that are made; the first is the event itself."""
    found = children.known(event.id, starts)
    told = {children.place(one): Told(one.start, one.end, one.id) for one in found}
    return {event.start: Told(event.start, event.end, event.id), **told}


def _find(event: Event, start: datetime) -> tuple[Series, datetime, Event | None]:
    """The series, the place in it, and the child, if it is made, of the occurrence at `start`."""
    found = series.of(event)
    if found is None:
        raise Invalid({"start": ["the event does not recur; edit or delete it itself"]})
    moment = events.to_utc("start", start, found.zone)
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
        return found, children.place(child), child
    deleted = Event.select().where(
        Event.parent_event == event.id,
        Event.original_start == moment,
        Event.deleted.is_null(False),
    )
    try:
        if not deleted.exists() and found.occurrences(moment, moment + _TICK, 1):
            return found, moment, None
    except RecurrenceError as error:
        raise Invalid({"rule": [str(error)]}) from None
    raise Invalid({"start": ["the series has no occurrence then; occurrences/ lists them"]})


def _lasts(event: Event) -> timedelta:
    return event.end - event.start
