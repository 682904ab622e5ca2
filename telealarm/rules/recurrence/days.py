"""The days that a rule names, in calendar order. This module knows no clock and no zone."""

from calendar import isleap, monthrange
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from dateutil.easter import easter

from telealarm.rules.recurrence.rule import Frequency, Recurrence, Weekday


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


class DayFilter:
    """The parts of a rule that a day must fit: BYMONTH, BYMONTHDAY, BYYEARDAY, BYDAY, BYEASTER.

    BYWEEKNO is not here: `Periods` makes the year from its weeks.
    """

    def __init__(self, rule: Recurrence) -> None:
        self._months = frozenset(rule.bymonth)
        self._monthdays = frozenset(rule.bymonthday)
        self._yeardays = frozenset(rule.byyearday)
        self._weekdays = frozenset(day for day, nth in rule.byday if not nth)
        self._nth = tuple(weekday for weekday in rule.byday if weekday.nth)
        self._nth_of_month = rule.frequency is Frequency.MONTHLY or bool(rule.bymonth)
        self._easter = tuple(timedelta(days=days) for days in rule.byeaster)

    def fits(self, day: date) -> bool:
        """Return whether `day` fits all of these parts."""
        if self._months and day.month not in self._months:
            return False
        if self._monthdays and not self._fits_monthday(day):
            return False
        if self._yeardays and not self._fits_yearday(day):
            return False
        if (self._weekdays or self._nth) and not self._fits_weekday(day):
            return False
        return not self._easter or self._fits_easter(day)

    def _fits_monthday(self, day: date) -> bool:
        if day.day in self._monthdays:
            return True
        length = monthrange(day.year, day.month)[1]
        return day.day - length - 1 in self._monthdays

    def _fits_yearday(self, day: date) -> bool:
        number, length = _day_of_year(day)
        return number in self._yeardays or number - length - 1 in self._yeardays

    def _fits_weekday(self, day: date) -> bool:
        weekday = day.weekday()
        if weekday in self._weekdays:
            return True
        nth = [nth for named, nth in self._nth if named == weekday]
        if not nth:
            return False
        if self._nth_of_month:
            number, length = day.day, monthrange(day.year, day.month)[1]
        else:
            number, length = _day_of_year(day)
        return (number - 1) // 7 + 1 in nth or -((length - number) // 7) - 1 in nth

    def _fits_easter(self, day: date) -> bool:
        return any((sunday := day - days) == easter(sunday.year) for days in self._easter)


class Periods:
    """The numbered years, months, weeks or days of a rule. The anchor's period is the first.

    If the rule has BYWEEKNO, a year consists of its weeks. The first week starts on WKST and is the
    week with 4 January in it, even if it starts in December (ISO 8601).
    """

    def __init__(self, rule: Recurrence) -> None:
        self._rule = rule
        self._frequency = rule.frequency
        self._months = rule.bymonth or tuple(range(1, 13))

    def number(self, day: date) -> int:
        """Return the number of the period that contains `day`."""
        match self._frequency:
            case Frequency.YEARLY if self._rule.byweekno:
                later = day.year + 1
                return max(
                    year
                    for year in (day.year - 1, day.year, later)
                    if self._first_week(year) <= day.toordinal()
                )
            case Frequency.YEARLY:
                return day.year
            case Frequency.MONTHLY:
                return day.year * 12 + day.month - 1
            case Frequency.WEEKLY:
                return (day.toordinal() - 1 - self._rule.wkst) // 7
            case _:
                return day.toordinal()

    def days(self, number: int) -> Iterator[date]:
        """Yield the days of a period in order, without months that the rule does not name."""
        match self._frequency:
            case Frequency.YEARLY if self._rule.byweekno:
                first, after = self._first_week(number), self._first_week(number + 1)
                weeks = (after - first) // 7
                named = {week if week > 0 else weeks + 1 + week for week in self._rule.byweekno}
                for week in sorted(named & set(range(1, weeks + 1))):
                    yield from _span(first + 7 * (week - 1), 7)
            case Frequency.YEARLY:
                for month in self._months:
                    yield from _month(number, month)
            case Frequency.MONTHLY:
                if number % 12 + 1 in self._months:
                    yield from _month(number // 12, number % 12 + 1)
            case Frequency.WEEKLY:
                yield from _span(number * 7 + 1 + self._rule.wkst, 7)
            case _:
                yield date.fromordinal(number)

    def _first_week(self, year: int) -> int:
        """Return the ordinal of the first day of the first week."""
        fourth = date(year, 1, 4)
        return fourth.toordinal() - (fourth.weekday() - self._rule.wkst) % 7


def _span(ordinal: int, days: int) -> Iterator[date]:
    return (date.fromordinal(ordinal + more) for more in range(days))


def _month(year: int, month: int) -> Iterator[date]:
    return (date(year, month, day + 1) for day in range(monthrange(year, month)[1]))


def _day_of_year(day: date) -> tuple[int, int]:
    """Return the day's number in its year (from 1), and the number of days of that year."""
    return day.toordinal() - date(day.year, 1, 1).toordinal() + 1, 365 + isleap(day.year)
