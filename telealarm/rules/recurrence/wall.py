"""YEARLY to DAILY: naive times on the wall clock, converted to moments afterwards."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from zoneinfo import ZoneInfo

from telealarm.rules.recurrence import bits
from telealarm.rules.recurrence.clock_changes import (
    DAY,
    Change,
    changes,
    near,
    offset_at,
    seconds,
    utc,
    year_of,
)
from telealarm.rules.recurrence.periods import Periods
from telealarm.rules.recurrence.rule import Recurrence

# Longer than any gap: Apia skipped a day.
_MARGIN = 2 * DAY


class WallMoments:
    """The moments of a rule from an anchor, in a zone.

    A wall time in a gap moves forward by the gap, maybe past later wall times or onto one. Of a
    wall time that comes twice, the first counts. No moment comes twice.
    """

    def __init__(self, rule: Recurrence, anchor: datetime, zone: ZoneInfo) -> None:
        self._zone = zone
        self._micro = timedelta(microseconds=anchor.microsecond)
        self._periods = Periods(rule, anchor)
        self._times = self._periods.times
        # How many wall times, and doubled wall times, there are before a year.
        self._before: dict[int, int] = {0: 0}
        self._doubled_before: dict[int, int] = {0: 0}
        self._first_year = year_of(seconds(anchor.replace(tzinfo=UTC)) - _MARGIN)

    def since(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield each moment (UTC) and its wall time, in order, from `moment` (UTC) on.

        Some moments before it, and before the anchor, may come first.
        """
        waiting: list[tuple[datetime, datetime]] = []
        previous = None
        for second in self._walls(self._earliest_wall(seconds(moment))):
            wall = utc(second).replace(tzinfo=None) + self._micro
            at, earliest = _moments_of(wall, self._zone)
            if not waiting and at == earliest:
                if at != previous:
                    previous = at
                    yield at, wall
                continue
            heappush(waiting, (at, wall))
            while waiting and waiting[0][0] <= earliest:
                next_one = heappop(waiting)
                if next_one[0] != previous:
                    previous = next_one[0]
                    yield next_one
        while waiting:
            next_one = heappop(waiting)
            if next_one[0] != previous:
                previous = next_one[0]
                yield next_one

    def rank(self, moment: datetime) -> int:
        """Return how many moments there are up to `moment` (UTC), that one included.

        The first is some moment before the anchor. So only differences of ranks tell something.
        """
        second = seconds(moment - self._micro)
        wall = second + offset_at(self._zone, second)
        bound, doubled, gap = wall, 0, None
        for change in near(self._zone, second, _MARGIN):
            if change.moment > second:
                break
            # After the clock was put back, all that it showed before has passed.
            bound = max(bound, change.moment + change.before)
            if change.after > change.before:
                gap = change
        count = self._walls_to(bound)
        if gap is not None:
            doubled = self._not_counted(gap, wall)
            second = gap.moment - 1
        return count - doubled - self._doubled_to(second)

    def _walls(self, first: int) -> Iterator[int]:
        """Yield the wall times from a second of the wall clock on."""
        first_day, first_time = divmod(first, DAY)
        for year in self._periods.years(first_day):
            skipped = max(0, first_day - year.first)
            for place in bits.members(year.days >> skipped):
                day = year.first + place + skipped
                begin = first_time if day == first_day else 0
                for time in year.of(place + skipped).following(begin):
                    yield day * DAY + time

    def _earliest_wall(self, moment: int) -> int:
        """Return a wall time before which no wall time means a moment from `moment` on.

        A wall time is converted with the offset before or after it. Both are in force within a day
        or two of the moment.
        """
        offset = offset_at(self._zone, moment)
        for change in near(self._zone, moment, _MARGIN):
            offset = min(offset, change.before, change.after)
        return moment + offset

    def _walls_to(self, second: int) -> int:
        """Return how many wall times there are up to a second of the wall clock."""
        day, time = divmod(second, DAY)
        periods = self._periods
        number = periods.year_of(day)
        count = self._before_year(number)
        if not periods.fits(number):
            return count
        year = periods.year(number)
        place = day - year.first
        before = year.days & bits.ones(place)
        if year.partial:
            count += sum(times.size for day, times in year.partial.items() if day < place)
        else:
            count += before.bit_count() * self._times.size
        if year.days >> place & 1:
            count += year.of(place).up_to(time)
        return count

    def _before_year(self, number: int) -> int:
        """Return how many wall times there are before a year."""
        periods = self._periods
        passed = number - periods.first_year
        if passed <= 0:
            return 0
        # Several threads may do this at once: each writes the same.
        for year in range(len(self._before), passed + 1):
            last = periods.first_year + year - 1
            more = periods.year(last).size if periods.fits(last) else 0
            self._before[year] = self._before[year - 1] + more
        return self._before[passed]

    def _doubled_to(self, second: int) -> int:
        """Return how many wall times moved onto another one, by changes up to `second`."""
        year = year_of(second)
        passed = year - self._first_year
        if passed < 0:
            return 0
        for number in range(len(self._doubled_before), passed + 1):
            last = changes(self._zone, self._first_year + number - 1)
            more = sum(self._doubled(change) for change in last)
            self._doubled_before[number] = self._doubled_before[number - 1] + more
        of_year = [change for change in changes(self._zone, year) if change.moment <= second]
        return self._doubled_before[passed] + sum(self._doubled(change) for change in of_year)

    def _doubled(self, change: Change) -> int:
        """Return how many wall times in the gap of a change move onto another one."""
        length = change.after - change.before
        if length <= 0 or (self._times.size == 1 and length % DAY):
            return 0
        first = change.moment + change.before
        return (self._seconds(first, length) & self._seconds(first + length, length)).bit_count()

    def _not_counted(self, gap: Change, wall: int) -> int:
        """Return how many wall times up to `wall`, after a gap, mean no other moment up to it.

        They moved onto another one, or past `wall`.
        """
        first, length = gap.moment + gap.before, gap.after - gap.before
        within = self._seconds(first, length)
        passed = bits.ones(wall - first - length + 1)
        moved = within & passed & self._seconds(first + length, length)
        return moved.bit_count() + (within & ~passed).bit_count()

    def _seconds(self, first: int, length: int) -> int:
        """Return the wall times from a second of the wall clock on, as a set of seconds."""
        first_day, into = divmod(first, DAY)
        result = 0
        for day in range(first_day, (first + length - 1) // DAY + 1):
            number = self._periods.year_of(day)
            if not self._periods.fits(number):
                continue
            year = self._periods.year(number)
            if year.days >> (day - year.first) & 1:
                times = year.of(day - year.first)
                result |= times.seconds << (DAY * (day - first_day))
        return result >> into & bits.ones(length)


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
