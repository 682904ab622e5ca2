"""HOURLY and MINUTELY: steps of elapsed time, whose BY parts are read on the wall clock.

So an hour that the clock repeats counts as two hours, and an hour that it skips does not count.
When summer time ends, 01:30 occurs twice: an hour lies between.

Between two changes of the clock, the steps that begin on a day depend on two things only: the
minute of the first of them, and which of this day and the next fit the rule. So days are counted by
kinds.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import gcd
from zoneinfo import ZoneInfo

from telealarm.rules.recurrence import bits
from telealarm.rules.recurrence.clock_changes import (
    DAY,
    changes,
    offset_at,
    seconds,
    utc,
    year_begin,
    year_of,
)
from telealarm.rules.recurrence.days import DayMasks
from telealarm.rules.recurrence.rule import Frequency, Recurrence

_MINUTES = 1440
_HOUR = 60
# From so many minutes on, there are so few steps in a year that they are taken one by one.
_RARE = 23_040
_LAST_YEAR = 2200


def unit(rule: Recurrence) -> timedelta:
    """Return the unit that the rule steps in: an hour or a minute."""
    return timedelta(hours=1) if rule.frequency is Frequency.HOURLY else timedelta(minutes=1)


class ElapsedMoments:
    """The moments of a rule from an anchor, in a zone.

    The first step starts with the anchor's wall-clock hour or minute. The others follow in elapsed
    time.
    """

    def __init__(self, rule: Recurrence, anchor: datetime, zone: ZoneInfo) -> None:
        self._zone = zone
        self._micro = timedelta(microseconds=anchor.microsecond)
        self._plain = not rule.has_by_parts()
        self._first = seconds(anchor.replace(tzinfo=zone).astimezone(UTC))
        self._hourly = rule.frequency is Frequency.HOURLY
        into = 60 * anchor.minute if self._hourly else 0
        self._start = self._first - into - anchor.second
        self._step = _Step(rule, anchor)
        self._length = 60 * self._step.length
        self._lasts = 3600 if self._hourly else 60
        self._first_year = year_of(self._start)
        # How many moments there are before a year.
        self._before: dict[int, int] = {0: 0}

    def since(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield each moment (UTC) and its wall time, in order, from `moment` (UTC) on.

        Some moments before it, and before the anchor, may come first.
        """
        first = max(seconds(moment), self._start)
        for second in self._plainly(first) if self._plain else self._seconds(first):
            at = utc(second) + self._micro
            yield at, at.astimezone(self._zone).replace(tzinfo=None)

    def rank(self, moment: datetime) -> int:
        """Return how many moments there are up to `moment` (UTC), that one included."""
        second = seconds(moment - self._micro)
        if second < self._start:
            return 0
        if self._plain:
            return (second - self._first) // self._length + 1
        # The last step may have moments after `second`. All others end before it.
        last = second - (second - self._start) % self._length
        year = year_of(last)
        count = self._before_year(year) + self._count(year_begin(year), last)
        return count + sum(1 for at in self._of_step(last) if at <= second)

    def _plainly(self, second: int) -> Iterator[int]:
        """Yield the moments of a rule without BY parts from about `second` on."""
        at = self._first + max(0, (second - self._first) // self._length) * self._length
        end = year_begin(_LAST_YEAR + 1)
        while at < end:
            yield at
            at += self._length

    def _seconds(self, second: int) -> Iterator[int]:
        """Yield the moments of the steps that end after `second`."""
        begin = second - (second - self._start) % self._length
        for year in range(year_of(begin), _LAST_YEAR + 1):
            for low, high, offset in self._spans(
                max(begin, year_begin(year)), year_begin(year + 1)
            ):
                yield from self._of_span(low, high, offset)

    def _spans(self, low: int, high: int) -> Iterator[tuple[int, int, int]]:
        """Yield the spans of constant offset from `low` to `high` (exclusive), within a year."""
        low = max(low, self._start)
        if low >= high:
            return
        offset = offset_at(self._zone, low)
        for change in changes(self._zone, year_of(low)):
            if low < change.moment < high:
                yield low, change.moment, offset
                low, offset = change.moment, change.after
        yield low, high, offset

    def _of_span(self, low: int, high: int, offset: int) -> Iterator[int]:
        """Yield the moments of the steps that begin in a span of constant offset."""
        cut = self._cut(high)
        span = _Span(self._step, self._start, offset, low, high if cut is None else cut)
        for midnight, begins, fits, fits_after in span.days():
            for into in self._step.moments(begins, fits, fits_after):
                yield midnight + into
        if cut is not None and cut >= low:
            yield from self._of_step(cut)

    def _before_year(self, year: int) -> int:
        passed = year - self._first_year
        # Several threads may do this at once: each writes the same.
        for number in range(len(self._before), passed + 1):
            last = self._first_year + number - 1
            more = self._count(year_begin(last), year_begin(last + 1))
            self._before[number] = self._before[number - 1] + more
        return self._before[passed]

    def _count(self, low: int, high: int) -> int:
        """Return how many moments the steps have that begin from `low` to `high`, in one year."""
        count = 0
        for first, end, offset in self._spans(low, high):
            cut = self._cut(end)
            span = _Span(self._step, self._start, offset, first, end if cut is None else cut)
            count += span.count()
            if cut is not None and cut >= first:
                count += sum(1 for _ in self._of_step(cut))
        return count

    def _cut(self, end: int) -> int | None:
        """Return the beginning of the step that the end of a span cuts through, if any."""
        begin = self._start + (end - 1 - self._start) // self._length * self._length
        return begin if self._hourly and begin + self._lasts > end else None

    def _of_step(self, begin: int) -> Iterator[int]:
        """Yield the moments of one step, each looked at on the wall clock."""
        fitting = 0
        for minute in bits.members(self._step.into):
            wall = begin + 60 * minute
            wall += offset_at(self._zone, wall)
            if self._step.minute_fits(wall % DAY // 60) and self._step.day_fits(wall // DAY):
                fitting |= 1 << minute
        for into in self._step.pick(fitting):
            yield begin + into


class _Step:
    """A step of a rule: which of its minutes and seconds may be moments, wherever it begins."""

    def __init__(self, rule: Recurrence, anchor: datetime) -> None:
        hourly = rule.frequency is Frequency.HOURLY
        self.length = rule.interval * (_HOUR if hourly else 1)
        self._days = DayMasks(rule)
        self._every_day = not (rule.bymonth or rule.bymonthday or rule.byyearday)
        self._every_day = self._every_day and not (rule.byday or rule.byeaster)
        self._seconds: tuple[int, ...] = rule.bysecond or (anchor.second,)
        self._positions = rule.bysetpos
        if self._positions and not hourly:
            self._seconds = tuple(self.pick(1))
            self._positions = ()
        # Steps of minutes never reach into the next day.
        self.reaches_over = hourly
        # The minutes of a step that may be moments, as far as its length says.
        self.into = 1
        if hourly:
            self.into = bits.ones(_HOUR) if rule.byminute else 1 << anchor.minute
        hours = bits.of(rule.byhour or tuple(range(24)))
        minutes = bits.of(rule.byminute) if rule.byminute else bits.ones(60)
        # The minutes of a day that BYHOUR and BYMINUTE name; bit 0 is midnight.
        self._clock = sum(minutes << (60 * hour) for hour in bits.members(hours))
        self._grid = bits.repeated(1, min(self.length, _MINUTES), _MINUTES)
        if not self._seconds:
            self._clock = 0
        self._counts: dict[tuple[int, bool, bool], int] = {}
        self._kinds: dict[tuple[int, bool, bool], list[tuple[int, int]]] = {}
        # So many days later the first step begins at the same minute again.
        self.period = self.length // gcd(self.length, _MINUTES)

    def minute_fits(self, minute: int) -> bool:
        """Return whether a minute of the day fits BYHOUR and BYMINUTE."""
        return bool(self._clock >> minute & 1)

    def day_fits(self, ordinal: int) -> bool:
        """Return whether a day fits the rule."""
        return self._every_day or bool(self._days.span(ordinal, 1))

    def days(self, first: int, count: int) -> int:
        """Return the days that fit from the ordinal `first` on."""
        return bits.ones(count) if self._every_day else self._days.span(first, count)

    def begins(self, first: int) -> int:
        """Return the minutes at which steps of a day begin, if the first begins at `first`."""
        return self._grid << first & bits.ones(_MINUTES) if first < _MINUTES else 0

    def moments(self, begins: int, fits: bool, fits_after: bool) -> Iterator[int]:
        """Yield the moments of the steps of a day, in seconds from its midnight."""
        minutes = self._fitting(begins, fits, fits_after)
        if self._positions:
            for begin in bits.members(begins):
                for into in self.pick(minutes >> begin & self.into):
                    yield 60 * begin + into
            return
        for minute in bits.members(minutes):
            for second in self._seconds:
                yield 60 * minute + second

    def count(self, begins: int, fits: bool, fits_after: bool) -> int:
        """Return how many moments the steps of a day have."""
        minutes = self._fitting(begins, fits, fits_after)
        if not self._positions:
            return minutes.bit_count() * len(self._seconds)
        members = bits.members(begins)
        return sum(self._picked((minutes >> begin & self.into).bit_count()) for begin in members)

    def pick(self, minutes: int) -> Iterator[int]:
        """Yield the moments of a step with these fitting minutes, as BYSETPOS picks them."""
        size = len(self._seconds)
        fitting = list(bits.members(minutes))
        total = len(fitting) * size
        places = _picked_places(self._positions, total) if self._positions else range(total)
        for place in places:
            minute, second = divmod(place, size)
            yield 60 * fitting[minute] + self._seconds[second]

    def _picked(self, minutes: int) -> int:
        return len(_picked_places(self._positions, minutes * len(self._seconds)))

    def _fitting(self, begins: int, fits: bool, fits_after: bool) -> int:
        """Return the minutes that fit, of the steps that begin at these minutes of a day."""
        allowed = self._clock if fits else 0
        if fits_after:
            allowed |= self._clock << _MINUTES
        # No two steps overlap, so the product is the set of the minutes of all of them.
        return begins * self.into & allowed

    def of_day(self, first: int, fits: bool, fits_after: bool) -> int:
        """Return `count` of a whole day whose first step begins at minute `first`."""
        key = (first, fits, fits_after)
        if key not in self._counts:
            self._counts[key] = self.count(self.begins(first), fits, fits_after)
        return self._counts[key]

    def kinds(self, phase: int, fits: bool, fits_after: bool) -> list[tuple[int, int]]:
        """Return the days of a period, from ordinal 0 on, by how many moments they have.

        `phase` is the minute at which a step begins, counted from the midnight of ordinal 0.
        """
        key = (phase % self.length, fits, fits_after)
        if key not in self._kinds:
            by_count: dict[int, int] = {}
            for day, first in self._firsts(phase):
                count = self.of_day(first, fits, fits_after)
                if count:
                    by_count[count] = by_count.get(count, 0) | 1 << day
            self._kinds[key] = list(by_count.items())
        return self._kinds[key]

    def _firsts(self, phase: int) -> Iterator[tuple[int, int]]:
        """Yield the days of a period on which a step begins, and the minute of the first."""
        last = -1
        begin = phase % self.length
        while begin < self.period * _MINUTES:
            day, minute = divmod(begin, _MINUTES)
            if day != last:
                last = day
                yield day, minute
            begin += self.length if self.length >= _MINUTES else _to_next_day(minute, self.length)


def _to_next_day(minute: int, length: int) -> int:
    """Return how long after a step at `minute` the first step of the next day begins."""
    return -(-(_MINUTES - minute) // length) * length


@lru_cache(maxsize=256)
def _picked_places(positions: tuple[int, ...], total: int) -> Sequence[int]:
    """Return the places of `total` that BYSETPOS names, in order."""
    chosen = {p - 1 if p > 0 else total + p for p in positions}
    return tuple(sorted(place for place in chosen if 0 <= place < total))


class _Span:
    """The days of a span of constant offset, and the steps that begin within it."""

    def __init__(self, step: _Step, start: int, offset: int, low: int, high: int) -> None:
        self._step, self._offset = step, offset
        # On the wall clock: minutes since the midnight of ordinal 0, and the seconds beyond them.
        self._phase, self._beyond = divmod(start + offset, 60)
        self._low = -(-(low + offset - self._beyond) // 60)
        self._high = -(-(high + offset - self._beyond) // 60)
        self._first_day = self._low // _MINUTES
        self._days = max(0, (self._high - 1) // _MINUTES - self._first_day + 1)
        self._fits = step.days(self._first_day, self._days + 1) if self._days else 0

    def count(self) -> int:
        """Return how many moments the steps have that begin in the span."""
        count = 0
        inner = bits.ones(self._days)
        for edge in {0, self._days - 1} if self._days else ():
            inner &= ~(1 << edge)
            fits = self._fitting(edge)
            if any(fits):
                count += self._step.count(self._begins(edge), *fits)
        for each, days in self._by_count():
            count += each * (days & inner).bit_count()
        return count

    def days(self) -> Iterator[tuple[int, int, bool, bool]]:
        """Yield the days that have moments: midnight (UTC), the steps, and which days fit.

        The first and the last day may have none.
        """
        found = 1 | 1 << (self._days - 1) if self._days else 0
        for _, days in self._by_count():
            found |= days
        for day in bits.members(found):
            fits = self._fitting(day)
            if any(fits):
                midnight = (self._first_day + day) * DAY - self._offset + self._beyond
                yield midnight, self._begins(day), *fits

    def _fitting(self, day: int) -> tuple[bool, bool]:
        return bool(self._fits >> day & 1), bool(self._fits >> day & 2)

    def _begins(self, day: int) -> int:
        """Return the minutes of a day at which steps of the span begin."""
        midnight = (self._first_day + day) * _MINUTES
        begins = self._step.begins((self._phase - midnight) % self._step.length)
        if midnight < self._low:
            begins &= ~bits.ones(self._low - midnight)
        return begins & bits.ones(self._high - midnight)

    def _by_count(self) -> Iterator[tuple[int, int]]:
        """Yield days, each with how many moments one has, as if the span had all of its ends."""
        if not self._days:
            return
        these, after = self._fits & bits.ones(self._days), self._fits >> 1
        kinds = [(True, False, these)]
        if self._step.reaches_over:
            kinds = [(True, True, these & after), (True, False, these & ~after)]
            kinds.append((False, True, after & ~these))
        for fits, fits_after, days in kinds:
            if not days:
                continue
            if self._step.length >= _RARE:
                yield from self._rare(fits, fits_after, days)
                continue
            period = self._step.period
            skipped = self._first_day % period
            for count, pattern in self._step.kinds(self._phase, fits, fits_after):
                whole = bits.repeated(pattern, period, skipped + self._days)
                yield count, whole >> skipped & days

    def _rare(self, fits: bool, fits_after: bool, days: int) -> Iterator[tuple[int, int]]:
        begin = self._low + (self._phase - self._low) % self._step.length
        while begin < self._high:
            day, minute = divmod(begin, _MINUTES)
            day -= self._first_day
            if days >> day & 1:
                yield self._step.of_day(minute, fits, fits_after), 1 << day
            begin += self._step.length
