"""HOURLY and MINUTELY: steps of elapsed time, whose BY parts are read on the wall clock.

So an hour that the clock repeats counts as two hours, and an hour that it skips does not count.
When summer time ends, 01:30 occurs twice: an hour lies between.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from telealarm.rules.recurrence.budget import Budget
from telealarm.rules.recurrence.days import DayFilter
from telealarm.rules.recurrence.rule import Frequency, Recurrence

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def unit(rule: Recurrence) -> timedelta:
    """Return the unit that the rule steps in: an hour or a minute."""
    return HOUR if rule.frequency is Frequency.HOURLY else MINUTE


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

    Some moments before `since`, and before the anchor, may come first.
    """
    steps = _Steps(rule, anchor, zone, until, budget)
    number = max(0, (since - steps.start) // steps.length)
    while (begin := steps.start + number * steps.length) <= until:
        budget.spend()
        ahead = steps.first_that_may_fit(begin, number)
        if ahead > number:
            number = ahead
            continue
        yield from steps.of(begin)
        number += 1


class _Steps:
    """The hours or minutes of a rule.

    The first starts with the anchor's wall-clock hour or minute. The others follow in elapsed time.
    """

    def __init__(
        self,
        rule: Recurrence,
        anchor: datetime,
        zone: ZoneInfo,
        until: datetime,
        budget: Budget,
    ) -> None:
        self._rule, self._zone, self._budget = rule, zone, budget
        self._last_day = until.date() + DAY
        self._unit = unit(rule)
        self._days = DayFilter(rule)
        self._hours, self._minutes = frozenset(rule.byhour), frozenset(rule.byminute)
        self._hourly = rule.frequency is Frequency.HOURLY
        self._minute = anchor.minute if self._hourly else 0
        self._seconds = sorted(rule.bysecond or (anchor.second,))
        self._micro = timedelta(microseconds=anchor.microsecond)
        into = timedelta(minutes=self._minute, seconds=anchor.second) + self._micro
        self.start = anchor.replace(tzinfo=zone).astimezone(UTC) - into
        self.length = self._unit * rule.interval
        self._length_minutes = self.length // MINUTE
        self._begins = _possible_begins(rule, self._minute, len(self._seconds))
        # The minutes of a day at which steps begin, if the first one does with the day.
        self._grid = sum(1 << minute for minute in range(0, 1440, self._length_minutes))
        self._known_day = (date.min, False)
        self._known_offset = (self.start, self.start, _offset(self.start, zone))

    def of(self, begin: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the moments of the step that starts at `begin`, as BYSETPOS selects them."""
        minutes = [
            into
            for into in self._minutes_of(begin)
            if self._fits(self._wall(begin + timedelta(minutes=into)))
        ]
        total = len(minutes) * len(self._seconds)
        places: Iterable[int] = range(total)
        if self._rule.bysetpos:
            chosen = {p - 1 if p > 0 else total + p for p in self._rule.bysetpos}
            places = sorted(place for place in chosen if 0 <= place < total)
        for place in places:
            self._budget.spend()
            minute, second = divmod(place, len(self._seconds))
            into = timedelta(minutes=minutes[minute], seconds=self._seconds[second])
            moment = begin + into + self._micro
            yield moment, moment.astimezone(self._zone).replace(tzinfo=None)

    def first_that_may_fit(self, begin: datetime, number: int) -> int:
        """Return the number of the first step, from this one on, that may have a fitting moment.

        Days that do not fit are skipped as a whole. So is the rest of a day or an hour in which the
        clock does not change.
        """
        wall = self._wall(begin)
        day = wall.date()
        fits = self._fits_day(day)
        if not fits and not self._days.fits(day - DAY):
            return self._reaching(self._first_moment(self._next_fitting(day)), number)
        if wall.second:
            return number
        # A clock that goes back over midnight returns to a day. So never skip over a change.
        for boundary in (_midnight(day + DAY), wall.replace(minute=0, second=0) + HOUR):
            ahead = begin + (boundary - wall)
            if not self._runs_evenly(ahead, boundary):
                continue
            if not fits:
                return self._reaching(ahead, number)
            first = wall.hour * 60 + wall.minute
            until = first + (boundary - wall) // MINUTE
            possible = self._begins & (self._grid << first) & ((1 << until) - 1)
            if possible:
                lowest = (possible & -possible).bit_length() - 1
                return number + (lowest - first) // self._length_minutes
            return max(number, -((self.start - ahead) // self.length))
        return number

    def _runs_evenly(self, ahead: datetime, boundary: datetime) -> bool:
        """Return whether the clock shows `boundary` at `ahead` and no change is within a step."""
        if self._wall(ahead) != boundary:
            return False
        return not self._hourly or self._wall(ahead + HOUR) == boundary + HOUR

    def _reaching(self, moment: datetime, number: int) -> int:
        """Return the number of the step that contains `moment`, or of the first one after it."""
        return max(number, (moment - self._unit - self.start) // self.length + 1)

    def _next_fitting(self, day: date) -> date:
        """Return the next day that fits. If there is none, return a day after the last one."""
        while True:
            day += DAY
            self._budget.spend()
            if day > self._last_day or self._days.fits(day):
                return day

    def _first_moment(self, day: date) -> datetime:
        """Return when `day` starts. If its midnight lies in a gap, that is after the gap."""
        return _midnight(day).replace(tzinfo=self._zone).astimezone(UTC)

    def _minutes_of(self, begin: datetime) -> list[int]:
        """Return how many minutes into the step a moment may be. BYMINUTE is on the wall clock."""
        if not self._hourly:
            return [0]
        if not self._minutes:
            return [self._minute]
        # The clock may change by half an hour within the step. Then the minute differs.
        shown = {self._wall(begin).minute, self._wall(begin + HOUR).minute}
        return sorted({(minute - first) % 60 for minute in self._minutes for first in shown})

    def _fits(self, wall: datetime) -> bool:
        if self._hours and wall.hour not in self._hours:
            return False
        if self._minutes and wall.minute not in self._minutes:
            return False
        return self._fits_day(wall.date())

    def _fits_day(self, day: date) -> bool:
        if self._known_day[0] != day:
            self._known_day = (day, self._days.fits(day))
        return self._known_day[1]

    def _wall(self, moment: datetime) -> datetime:
        """Return the wall time of `moment`, marked as UTC: sums are quick, and `fold` is ignored.

        A clock with the same offset at both ends of a day has it all day.
        """
        since, until, offset = self._known_offset
        if not since <= moment <= until:
            offset = _offset(moment, self._zone)
            later = moment + DAY
            same = _offset(later, self._zone) == offset
            self._known_offset = (moment, later if same else moment, offset)
        return moment + offset


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


@lru_cache(maxsize=1024)
def _possible_begins(rule: Recurrence, at_minute: int, seconds: int) -> int:
    """Return the minutes of a day without clock change at which a non-empty step may start.

    Minute 0 is the lowest bit. The part of a step in the next day is assumed to fit.
    """
    needed = min((abs(place) for place in rule.bysetpos), default=1)
    fits = [
        (not rule.byhour or minute // 60 in rule.byhour)
        and (not rule.byminute or minute % 60 in rule.byminute)
        for minute in range(1440)
    ]
    into = [0]
    if rule.frequency is Frequency.HOURLY:
        into = list(range(60)) if rule.byminute else [at_minute]
    begins = 0
    for begin in range(1440):
        fitting = sum(fits[(begin + minute) % 1440] for minute in into)
        if fitting * seconds >= needed:
            begins |= 1 << begin
    return begins
