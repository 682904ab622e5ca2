"""The days and times of a rule of days to years, a year at a time, with INTERVAL and BYSETPOS."""

from calendar import isleap
from collections.abc import Iterator
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple

from telealarm.rules.recurrence import bits
from telealarm.rules.recurrence.days import MONTH_DAYS, DayMasks, new_year, with_defaults
from telealarm.rules.recurrence.rule import Frequency, Recurrence
from telealarm.rules.recurrence.times import Clock, Picked, Times

_LAST_YEAR = 2201
# How many years are kept, and how many periods with BYSETPOS: weeks differ in 128 ways.
_KEPT_YEARS, _KEPT_PERIODS = 20, 130


class Year(NamedTuple):
    """The days of a year from the ordinal `first` on.

    `partial` has the times of days of which BYSETPOS picked some only.
    """

    first: int
    days: int
    partial: dict[int, Times]
    times: Times

    @property
    def size(self) -> int:
        """How many times of days the year has."""
        if not self.partial:
            return self.days.bit_count() * self.times.size
        return sum(times.size for times in self.partial.values())

    def of(self, place: int) -> Times:
        """Return the times of the day at a place of the year."""
        return self.partial.get(place, self.times)


class Periods:
    """The years of a rule, from that of its anchor on.

    If the rule has weeks (WEEKLY, BYWEEKNO), a year consists of whole weeks. The first week starts
    on WKST and is the week with 4 January in it, even if it starts in December (ISO 8601).
    """

    def __init__(self, rule: Recurrence, anchor: datetime) -> None:
        rule = with_defaults(rule, anchor.date())
        self._rule = rule
        self._frequency = rule.frequency
        self._in_weeks = bool(rule.byweekno) or rule.frequency is Frequency.WEEKLY
        self._masks = DayMasks(rule)
        self.times: Times = Clock(
            rule.byhour or (anchor.hour,),
            rule.byminute or (anchor.minute,),
            rule.bysecond or (anchor.second,),
        )
        self._positions = rule.bysetpos
        self._picked: dict[int, tuple[tuple[int, Times], ...]] = {}
        if self._positions and rule.frequency is Frequency.DAILY:
            self.times = self._pick_of(1).get(0, Picked(()))
            self._positions = ()
        ordinal = anchor.toordinal()
        self._first_month = anchor.year * 12 + anchor.month - 1
        self._first_day = ordinal
        if rule.frequency is Frequency.WEEKLY:
            self._first_day = ordinal - (ordinal - 1 - rule.wkst) % 7
        self.first_year = self.year_of(ordinal)
        self._kept: dict[int, Year] = {}

    def years(self, ordinal: int) -> Iterator[Year]:
        """Yield the years of the rule from that of a day on."""
        number = max(self.year_of(ordinal), self.first_year)
        step = 1
        if self._frequency is Frequency.YEARLY:
            step = self._rule.interval
            number += (self.first_year - number) % step
        while number <= _LAST_YEAR:
            yield self.year(number)
            number += step

    def year(self, number: int) -> Year:
        """Return a year. INTERVAL of YEARLY is not looked at."""
        year = self._kept.get(number)
        if year is None:
            if len(self._kept) == _KEPT_YEARS:
                self._kept.clear()
            year = self._kept[number] = self._make(number)
        return year

    def fits(self, number: int) -> bool:
        """Return whether a year is one of the rule's by its INTERVAL."""
        if number < self.first_year:
            return False
        yearly = self._frequency is Frequency.YEARLY
        return not yearly or (number - self.first_year) % self._rule.interval == 0

    def year_of(self, ordinal: int) -> int:
        """Return the number of the year that contains a day."""
        year = date.fromordinal(ordinal).year
        if not self._in_weeks:
            return year
        wkst = self._rule.wkst
        if ordinal < _first_week(year, wkst):
            return year - 1
        return year + (ordinal >= _first_week(year + 1, wkst))

    def begin(self, number: int) -> int:
        """Return the ordinal of the first day of a year."""
        return _first_week(number, self._rule.wkst) if self._in_weeks else new_year(number)

    def _make(self, number: int) -> Year:
        first = self.begin(number)
        length = self.begin(number + 1) - first
        days = self._masks.span(first, length) if self._in_weeks else self._masks.year(number)
        match self._frequency:
            case Frequency.YEARLY if self._rule.byweekno:
                days &= self._named_weeks(length // 7)
            case Frequency.MONTHLY:
                days &= self._months(number)
            case Frequency.WEEKLY:
                days &= self._every(7, first, length)
            case Frequency.DAILY:
                days &= self._every(1, first, length)
        if not self._positions or not days:
            return Year(first, days, {}, self.times)
        partial = dict(self._pick(number, days, length))
        return Year(first, bits.of(tuple(partial)), partial, self.times)

    def _named_weeks(self, weeks: int) -> int:
        named = {week - 1 if week > 0 else weeks + week for week in self._rule.byweekno}
        return bits.of(tuple(7 * week for week in named if 0 <= week < weeks)) * bits.ones(7)

    def _months(self, number: int) -> int:
        months = MONTH_DAYS[isleap(number)]
        skipped = (self._first_month - number * 12) % self._rule.interval
        days = 0
        for month in range(skipped, 12, self._rule.interval):
            days |= months[month]
        return days

    def _every(self, unit: int, first: int, length: int) -> int:
        """Return the days of every so many weeks or days (`unit` 7 or 1) from the first one on."""
        if self._rule.interval == 1:
            return bits.ones(length)
        skipped = (self._first_day - first) // unit % self._rule.interval * unit
        if skipped >= length:
            return 0
        period = min(self._rule.interval * unit, length)
        return bits.repeated(bits.ones(unit), period, length - skipped) << skipped

    def _pick(self, number: int, days: int, length: int) -> Iterator[tuple[int, Times]]:
        """Yield the days of a year that BYSETPOS picks times of, period by period."""
        periods = [(0, length)]
        if self._frequency is Frequency.WEEKLY:
            periods = [(place, 7) for place in range(0, length, 7)]
        elif self._frequency is Frequency.MONTHLY:
            lengths = [month.bit_count() for month in MONTH_DAYS[isleap(number)]]
            periods = [(sum(lengths[:month]), lengths[month]) for month in range(12)]
        for begin, size in periods:
            for place, times in self._pick_in(days >> begin & bits.ones(size)):
                yield begin + place, times

    def _pick_in(self, days: int) -> tuple[tuple[int, Times], ...]:
        """Return the days of one period, and their times."""
        picked = self._picked.get(days)
        if picked is None:
            if len(self._picked) == _KEPT_PERIODS:
                self._picked.clear()
            of_day = self._pick_of(days.bit_count())
            places = list(bits.members(days)) if of_day else []
            picked = tuple((places[n], times) for n, times in of_day.items())
            self._picked[days] = picked
        return picked

    def _pick_of(self, days: int) -> dict[int, Times]:
        """Return the times that BYSETPOS picks of so many days, by the number of the day."""
        size = self.times.size
        total = days * size
        places = {p - 1 if p > 0 else total + p for p in self._rule.bysetpos}
        picked: dict[int, list[int]] = {}
        for place in sorted(place for place in places if 0 <= place < total):
            picked.setdefault(place // size, []).append(self.times.at(place % size))
        return {day: Picked(tuple(times)) for day, times in picked.items()}


@lru_cache(maxsize=4096)
def _first_week(year: int, wkst: int) -> int:
    """Return the ordinal of the first day of the first week."""
    fourth = new_year(year) + 3
    return fourth - (fourth - 1 - wkst) % 7
