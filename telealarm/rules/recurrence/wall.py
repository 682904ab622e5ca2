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
    """Each moment (UTC) of `rule`, with its wall time, from `since` to `until` (UTC), in order.

    Some moments before `since`, and before the anchor, may come first; none comes twice. A wall
    time in a gap moves forward by the gap, past which others may lie: they are put in order here.
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
            found = heappop(waiting)
            if found[0] != previous:
                previous = found[0]
                yield found
    while waiting:
        found = heappop(waiting)
        if found[0] != previous:
            previous = found[0]
            yield found


def _earliest_wall(since: datetime, zone: ZoneInfo) -> datetime:
    """No wall time before this one means a moment from `since` on.

    What a wall time means is reckoned by the offset before it or after it; both are in force
    within a day or two of the moment.
    """
    hours = range(-48, 49, 6)
    offsets = [(since + timedelta(hours=n)).astimezone(zone).utcoffset() for n in hours]
    return since.replace(tzinfo=None) + min(offset for offset in offsets if offset is not None)


def _moments_of(wall: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The moment that `wall` means, and one that no later wall time is before (both UTC).

    PEP 495: in a gap fold 0 reads by the clock before it, so forward, and fold 1 by the one after.
    """
    aware = wall.replace(tzinfo=UTC)
    before, after = zone.utcoffset(wall), zone.utcoffset(wall.replace(fold=1))
    assert before is not None and after is not None
    moment = aware - before
    return moment, moment if before == after else min(moment, aware - after)


def _wall_times(
    rule: Recurrence, anchor: datetime, first: datetime, last: datetime, budget: Budget
) -> Iterator[datetime]:
    """The naive times of the periods that `first` and `last` lie in and those between."""
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
    """Every time of these days that is not before the second of `first`."""
    earliest = first.hour, first.minute, first.second
    for day in days:
        for hour, minute, second in product(*clock):
            if day > first.date() or (hour, minute, second) >= earliest:
                yield day, hour, minute, second


def _at_positions(
    positions: Sequence[int], days: Sequence[date], clock: tuple[Sequence[int], ...]
) -> Iterator[tuple[date, int, int, int]]:
    """BYSETPOS: those of the period's times, from 1 or from its end, by their place in order."""
    hours, minutes, seconds = clock
    total = len(days) * len(hours) * len(minutes) * len(seconds)
    places = {place - 1 if place > 0 else total + place for place in positions}
    for place in sorted(place for place in places if 0 <= place < total):
        rest, second = divmod(place, len(seconds))
        rest, minute = divmod(rest, len(minutes))
        day, hour = divmod(rest, len(hours))
        yield days[day], hours[hour], minutes[minute], seconds[second]
