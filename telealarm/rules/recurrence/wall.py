"""YEARLY to DAILY: naive times on the wall clock, converted to moments afterwards."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from heapq import heappop, heappush
from itertools import product
from zoneinfo import ZoneInfo

from telealarm.rules.recurrence.budget import Budget
from telealarm.rules.recurrence.days import DayFilter, Periods, with_defaults
from telealarm.rules.recurrence.rule import Recurrence

# Longer than any gap: Apia skipped a day.
_MARGIN = timedelta(days=2)


def moments(
    rule: Recurrence,
    anchor: datetime,
    zone: ZoneInfo,
    *,
    since: datetime,
    until: datetime,
    budget: Budget,
) -> Iterator[tuple[datetime, datetime]]:
    """Yield each moment (UTC) of `rule` and its wall time, from `since` to `until` (UTC), in order.

    Some moments before `since`, and before the anchor, may come first. No moment comes twice. A
    wall time in a gap moves forward, maybe past later wall times. This function restores the order.
    """
    waiting: list[tuple[datetime, datetime]] = []
    previous = None
    first = _earliest_wall(since, zone)
    last = until.astimezone(zone).replace(tzinfo=None) + _MARGIN
    for wall in _wall_times(rule, anchor, first, last, budget):
        moment, earliest = _moments_of(wall, zone)
        if earliest > until:
            break
        if not waiting and moment == earliest:
            if moment != previous:
                previous = moment
                yield moment, wall
            continue
        heappush(waiting, (moment, wall))
        while waiting and waiting[0][0] <= earliest:
            earliest_waiting = heappop(waiting)
            if earliest_waiting[0] != previous:
                previous = earliest_waiting[0]
                yield earliest_waiting
    while waiting:
        earliest_waiting = heappop(waiting)
        if earliest_waiting[0] != previous:
            previous = earliest_waiting[0]
            yield earliest_waiting


def _earliest_wall(since: datetime, zone: ZoneInfo) -> datetime:
    """Return a wall time before which no wall time means a moment from `since` on.

    A wall time is converted with the offset before or after it. Both are in force within a day or
    two of the moment.
    """
    hours = range(-48, 49, 6)
    offsets = [(since + timedelta(hours=n)).astimezone(zone).utcoffset() for n in hours]
    return since.replace(tzinfo=None) + min(offset for offset in offsets if offset is not None)


def _moments_of(wall: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the moment of `wall`, and a moment that no later wall time precedes (both UTC).

    PEP 495: in a gap, fold 0 uses the offset before the gap (so the time moves forward), fold 1 the
    offset after it.
    """
    aware = wall.replace(tzinfo=UTC)
    before, after = zone.utcoffset(wall), zone.utcoffset(wall.replace(fold=1))
    assert before is not None and after is not None
    moment = aware - before
    return moment, moment if before == after else min(moment, aware - after)


def _wall_times(
    rule: Recurrence, anchor: datetime, first: datetime, last: datetime, budget: Budget
) -> Iterator[datetime]:
    """Yield the naive times of the periods from that of `first` to that of `last`."""
    rule = with_defaults(rule, anchor.date())
    periods, day_filter = Periods(rule), DayFilter(rule)
    clock = (
        sorted(rule.byhour or (anchor.hour,)),
        sorted(rule.byminute or (anchor.minute,)),
        sorted(rule.bysecond or (anchor.second,)),
    )
    micro = anchor.microsecond
    start = periods.number(anchor.date())
    passed = max(0, periods.number(first.date()) - start) // rule.interval
    number, stop = start + passed * rule.interval, periods.number(last.date())
    while number <= stop:
        days = list(periods.days(number))
        budget.spend(len(days) or 1)
        days = [day for day in days if day_filter.fits(day)]
        if rule.bysetpos:
            chosen = _at_positions(rule.bysetpos, days, clock)
        else:
            chosen = _every((day for day in days if day >= first.date()), clock, first)
        for day, hour, minute, second in chosen:
            budget.spend()
            yield datetime(day.year, day.month, day.day, hour, minute, second, micro)
        number += rule.interval


def _every(
    days: Iterator[date], clock: tuple[Sequence[int], ...], first: datetime
) -> Iterator[tuple[date, int, int, int]]:
    """Yield every time of these days from the second of `first` on."""
    earliest = first.hour, first.minute, first.second
    for day in days:
        for hour, minute, second in product(*clock):
            if day > first.date() or (hour, minute, second) >= earliest:
                yield day, hour, minute, second


def _at_positions(
    positions: Sequence[int], days: Sequence[date], clock: tuple[Sequence[int], ...]
) -> Iterator[tuple[date, int, int, int]]:
    """Yield the times that BYSETPOS selects: by their position from 1, or from the end."""
    hours, minutes, seconds = clock
    total = len(days) * len(hours) * len(minutes) * len(seconds)
    places = {place - 1 if place > 0 else total + place for place in positions}
    for place in sorted(place for place in places if 0 <= place < total):
        rest, second = divmod(place, len(seconds))
        rest, minute = divmod(rest, len(minutes))
        day, hour = divmod(rest, len(hours))
        yield days[day], hours[hour], minutes[minute], seconds[second]
