"""The days that a rule names, a year at a time. This module knows no clock and no zone."""

from calendar import isleap
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from functools import lru_cache

from dateutil.easter import easter

from telealarm.rules.recurrence import bits
from telealarm.rules.recurrence.rule import Frequency, Recurrence, Weekday

_EASTERS = 366  # BYEASTER goes so many days back and forward


def _month_lengths(leap: bool) -> tuple[int, ...]:
    return (31, 28 + leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _month_days(leap: bool) -> tuple[int, ...]:
    """Return the days of each month, as sets of days of the year."""
    result, first = [], 0
    for length in _month_lengths(leap):
        result.append(bits.ones(length) << first)
        first += length
    return tuple(result)


MONTH_DAYS = (_month_days(False), _month_days(True))


def with_defaults(rule: Recurrence, anchor: date) -> Recurrence:
    """Return `rule` with its missing day parts taken from the anchor (RFC 5545 3.3.10).

    BYWEEKNO alone means the anchor's weekday in these weeks (dateutil: all seven days).
    """
    if rule.byday or rule.bymonthday or rule.byyearday or rule.byeaster:
        return rule
    weekday = (Weekday(anchor.weekday()),)
    match rule.frequency:
        case Frequency.YEARLY if rule.byweekno:
            return replace(rule, byday=weekday)
        case Frequency.YEARLY:
            months = rule.bymonth or (anchor.month,)
            return replace(rule, bymonth=months, bymonthday=(anchor.day,))
        case Frequency.MONTHLY:
            return replace(rule, bymonthday=(anchor.day,))
        case Frequency.WEEKLY:
            return replace(rule, byday=weekday)
        case _:
            return rule


@lru_cache(maxsize=1024)
def new_year(year: int) -> int:
    """Return the ordinal of 1 January."""
    return date(year, 1, 1).toordinal()


@lru_cache(maxsize=1024)
def _easter(year: int) -> int:
    return easter(year).toordinal()


class DayMasks:
    """The days that fit BYMONTH, BYMONTHDAY, BYYEARDAY, BYDAY and BYEASTER, as sets of bits.

    Years of equal length that begin on the same weekday are worked out once. BYWEEKNO and INTERVAL
    are not here: `wall` has them.
    """

    def __init__(self, rule: Recurrence) -> None:
        self._months = frozenset(rule.bymonth)
        self._monthdays = rule.bymonthday
        self._yeardays = rule.byyearday
        self._weekdays = [day for day, nth in rule.byday if not nth]
        self._nth = [weekday for weekday in rule.byday if weekday.nth]
        self._nth_of_month = rule.frequency is Frequency.MONTHLY or bool(rule.bymonth)
        self._easter = bits.of(tuple(days + _EASTERS for days in rule.byeaster))
        self._years: dict[tuple[int, bool], int] = {}

    def year(self, year: int) -> int:
        """Return the days of a year that fit; bit 0 is 1 January."""
        first, leap = new_year(year), isleap(year)
        key = ((first - 1) % 7, leap)
        days = self._years.get(key)
        if days is None:
            days = self._years[key] = self._of_year(*key)
        return days & self._around_easter(year, first) if self._easter else days

    def span(self, first: int, count: int) -> int:
        """Return the days that fit among `count` days from the ordinal `first` on."""
        year = date.fromordinal(first).year
        begin = new_year(year)
        days = self.year(year) >> (first - begin)
        while (begin := begin + 365 + isleap(year)) < first + count:
            year += 1
            days |= self.year(year) << (begin - first)
        return days & bits.ones(count)

    def _of_year(self, weekday: int, leap: bool) -> int:
        """Return the days of a year that begins on `weekday`, Easter aside."""
        length, first, result = 365 + leap, 0, 0
        for month, days in enumerate(_month_lengths(leap), 1):
            if not self._months or month in self._months:
                result |= self._of_month(days, (weekday + first) % 7) << first
            first += days
        if self._yeardays:
            result &= _from_either_end(self._yeardays, length)
        if not self._nth_of_month:
            result &= self._on_weekdays(length, weekday)
        return result

    def _of_month(self, length: int, weekday: int) -> int:
        days = bits.ones(length)
        if self._monthdays:
            days = _from_either_end(self._monthdays, length)
        return days & self._on_weekdays(length, weekday) if self._nth_of_month else days

    def _on_weekdays(self, length: int, first: int) -> int:
        """Return the days that fit BYDAY among `length` days, the first on weekday `first`."""
        if not self._weekdays and not self._nth:
            return bits.ones(length)
        week = bits.of(tuple((day - first) % 7 for day in self._weekdays))
        days = bits.repeated(week, 7, length)
        for day, nth in self._nth:
            earliest = (day - first) % 7
            latest = earliest + 7 * ((length - 1 - earliest) // 7)
            place = earliest + 7 * (nth - 1) if nth > 0 else latest + 7 * (nth + 1)
            if 0 <= place < length:
                days |= 1 << place
        return days

    def _around_easter(self, year: int, first: int) -> int:
        days = 0
        for near in (year - 1, year, year + 1):
            shift = _easter(near) - _EASTERS - first
            days |= self._easter << shift if shift >= 0 else self._easter >> -shift
        return days


def _from_either_end(numbers: Iterable[int], length: int) -> int:
    """Return the places that `numbers` name: 1 is the first, -1 the last of `length`."""
    places = (number - 1 if number > 0 else length + number for number in numbers)
    return bits.of(tuple(place for place in places if 0 <= place < length))
