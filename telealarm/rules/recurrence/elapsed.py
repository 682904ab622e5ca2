"""HOURLY and MINUTELY: steps of elapsed time, whose BY parts are read on the wall clock.

So an hour that the clock repeats is two hours, and one that it skips is none: the 01:30 of the
night in which summer time ends comes twice, because an hour lies between.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from telealarm.rules.recurrence.budget import Budget
from telealarm.rules.recurrence.days import DayFilter
from telealarm.rules.recurrence.rule import Frequency, Recurrence

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def unit(rule: Recurrence) -> timedelta:
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
    """Each moment (UTC) of `rule`, with its wall time, from `since` to `until` (UTC), in order.

    Some moments before `since`, and before the anchor, may come first.
    """
    steps = _Steps(rule, anchor, zone)
    number = max(0, (since - steps.start) // steps.length)
    while (begin := steps.start + number * steps.length) <= until:
        budget.spend()
        ahead = steps.after_unfit(begin, number)
        if ahead > number:
            number = ahead
            continue
        yield from steps.of(begin, budget)
        number += 1


class _Steps:
    """The hours or minutes of a rule. The first begins with the anchor's wall-clock hour or minute,
    the others follow in elapsed time.
    """

    def __init__(self, rule: Recurrence, anchor: datetime, zone: ZoneInfo) -> None:
        self._rule, self._zone = rule, zone
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
        self._known_day: tuple[date, bool] = (date.min, False)

    def of(self, begin: datetime, budget: Budget) -> Iterator[tuple[datetime, datetime]]:
        """The moments within the step that begins at `begin`, those of BYSETPOS if it is given."""
        found = []
        for minute in self._minutes_of(begin):
            for second in self._seconds:
                budget.spend()
                moment = begin + timedelta(minutes=minute, seconds=second) + self._micro
                wall = self._wall(moment)
                if self._fits(wall):
                    found.append((moment, wall))
        if self._rule.bysetpos:
            total = len(found)
            places = {p - 1 if p > 0 else total + p for p in self._rule.bysetpos}
            found = [found[place] for place in sorted(places) if 0 <= place < total]
        yield from found

    def after_unfit(self, begin: datetime, number: int) -> int:
        """The number of the next step that may have a fitting moment.

        A month, a day or an hour that does not fit is stepped over as a whole, unless the clock is
        changed before its end.
        """
        wall = self._wall(begin)
        boundaries = []
        midnight = datetime(wall.year, wall.month, wall.day)
        if self._days.months and wall.month not in self._days.months:
            boundaries.append((midnight.replace(day=1) + 31 * DAY).replace(day=1))
        if not self._fits_day(wall.date()):
            boundaries.append(midnight + DAY)
        if not self._hourly and (boundaries or (self._hours and wall.hour not in self._hours)):
            boundaries.append(wall.replace(minute=0, second=0, microsecond=0) + HOUR)
        for boundary in boundaries:
            fitting = begin + (boundary - wall)
            if self._wall(fitting) == boundary:
                # The step in which that moment lies, or the first after it.
                before = (fitting - self._unit - self.start) // self.length
                return max(number, before + 1)
        return number

    def _minutes_of(self, begin: datetime) -> list[int]:
        """How many minutes into the step a moment may lie: BYMINUTE is of the wall clock."""
        if not self._hourly:
            return [0]
        if not self._minutes:
            return [self._minute]
        # Another where the clock is changed by half an hour within the step.
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
        return moment.astimezone(self._zone).replace(tzinfo=None)
