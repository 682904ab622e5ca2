"""The occurrences of an event: its rule, the anchor that starts the count, and its end."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from telealarm.errors import NeverOccurs
from telealarm.rules.dates import EARLIEST, LATEST, OUT_OF_RANGE
from telealarm.rules.recurrence.elapsed import ElapsedMoments
from telealarm.rules.recurrence.rule import Recurrence
from telealarm.rules.recurrence.wall import WallMoments

# The smallest step of a datetime.
_TICK = datetime.resolution
_SECOND = timedelta(seconds=1)


# The moments of a rule from an anchor, without COUNT and UNTIL.
Moments = WallMoments | ElapsedMoments


@dataclass(frozen=True)
class Occurrence:
    """`start` is aware, in UTC. `local` is the naive wall time of the rule.

    The two differ if `local` lies in a gap of the clock: `start` is then later by the gap.
    """

    start: datetime
    local: datetime


@dataclass(frozen=True)
class Series:
    """`recurrence` from `anchor`, the event's naive start on the wall clock of `zone`.

    - The anchor is the first occurrence and counts, even if the rule does not fit it. Nothing comes
      before it. COUNT and UNTIL always count from the anchor.
    - DAILY to YEARLY name wall times. A wall time in a gap moves forward by the gap. Of a wall time
      that comes twice, the first counts. Two wall times at the same moment are one occurrence.
    - HOURLY and MINUTELY step in elapsed time; their BY parts are read on the wall clock. An
      anchor with `fold` 1 is the second of its two moments.
    - `end` (UTC) is inclusive, as UNTIL is. An occurrence in `exdates` does not happen, but it
      counts. Each exdate is a naive wall time, converted as the rule's are, or an aware moment.
    - There are no occurrences from the year 2200 on.
    - No question walks from the anchor. Any next occurrence, count or page of a few costs
      milliseconds at most, also for a COUNT of a million or a rule that never occurs.

    Raises ValueError if the anchor is not naive, or lies outside 1600 to 2199.
    """

    anchor: datetime
    zone: ZoneInfo
    recurrence: Recurrence
    end: datetime | None = None
    exdates: frozenset[datetime] = frozenset()

    def __post_init__(self) -> None:
        if self.anchor.tzinfo is not None:
            raise ValueError("the anchor of a series is a naive wall time")
        if not EARLIEST < self._moment(self.anchor) < LATEST:
            raise ValueError(OUT_OF_RANGE)

    def occurrences(
        self, after: datetime | None, before: datetime | None, limit: int
    ) -> list[Occurrence]:
        """Return the first `limit` occurrences from `after` (inclusive) to `before` (exclusive).

        They are in order. A naive limit is on the wall clock of `zone`; None leaves that side open.
        """
        occurrences: list[Occurrence] = []
        if limit > 0:
            for occurrence in self._between(after, before):
                occurrences.append(occurrence)
                if len(occurrences) == limit:
                    break
        return occurrences

    def following(self, moment: datetime) -> Occurrence | None:
        """Return the first occurrence after `moment`."""
        return next(self._between(self._moment(moment) + _TICK, None), None)

    def count(self, after: datetime | None = None, before: datetime | None = None) -> int | None:
        """Return how many occurrences there are from `after` (inclusive) to `before` (exclusive).

        Returns None for an endless series without `before`.
        """
        rule = self.recurrence
        if before is None and self.end is None and rule.count is None and rule.until is None:
            return None
        since, last = self._limits(after, before)
        first = since <= self._start <= last
        counted = max(since, self._start + _TICK)
        count = int(first and self._start not in self._excluded)
        if last < counted:
            return count
        source = self._source
        count += source.rank(last) - source.rank(counted - _TICK)
        return count - sum(1 for at in self._excluded if counted <= at <= last and self._rules(at))

    def excludes(self, moment: datetime) -> bool:
        """Return whether an occurrence at `moment` is in `exdates`."""
        return self._moment(moment) in self._excluded

    def check(self) -> None:
        """Refuse a rule that cannot be used from this anchor.

        Raises NeverOccurs if only the anchor would occur, even without COUNT, UNTIL and `end`.
        """
        if next(self._all(self._start + _TICK, LATEST - _TICK), None) is None:
            raise NeverOccurs

    def _between(self, after: datetime | None, before: datetime | None) -> Iterator[Occurrence]:
        since, last = self._limits(after, before)
        if since <= self._start <= last and self._start not in self._excluded:
            yield Occurrence(self._start, self.anchor)
        for start, local in self._all(max(since, self._start + _TICK), last):
            if start not in self._excluded:
                yield Occurrence(start, local)

    def _limits(self, after: datetime | None, before: datetime | None) -> tuple[datetime, datetime]:
        """Return the first and the last moment from `after` to `before`."""
        since = self._start if after is None else max(self._start, self._moment(after))
        stop = LATEST if before is None else self._moment(before)
        last = stop - _TICK
        # The anchor occurs, whatever COUNT, UNTIL and `end` say.
        return since, min(last, max(self._last, self._start))

    def _all(self, since: datetime, last: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the moments of the rule from `since` to `last`, excluded ones too."""
        if since > last:
            return
        for moment, local in self._source.since(since):
            if moment > last:
                return
            if moment >= since:
                yield moment, local

    def _rules(self, moment: datetime) -> bool:
        """Return whether the rule names a moment."""
        return next(self._all(moment, moment), None) is not None

    @cached_property
    def _source(self) -> Moments:
        rule = replace(self.recurrence, count=None, until=None)
        return _moments(self._start, rule, self.anchor, self.zone)

    @cached_property
    def _excluded(self) -> frozenset[datetime]:
        return frozenset(self._moment(exdate) for exdate in self.exdates)

    @cached_property
    def _start(self) -> datetime:
        return self._moment(self.anchor)

    @cached_property
    def _last(self) -> datetime:
        """The moment after which there is no occurrence, except the anchor itself."""
        rule = self.recurrence
        ends = [LATEST - _TICK]
        if self.end is not None:
            ends.append(self._moment(self.end))
        if rule.until is not None:
            # UNTIL is exact to the second: an anchor with a fraction of a second must not miss it.
            ends.append(self._moment(rule.until.replace(microsecond=999_999)))
        last = min(ends)
        if rule.count is None or last <= self._start:
            return last
        return _last_counted(self._source, self._start, rule.count - 1, last)

    def _moment(self, value: datetime) -> datetime:
        """Return `value` in UTC.

        A naive value in a gap moves forward. Of a value that comes twice, its `fold` decides. A
        value outside the years 1600 to 2199 becomes their first or last moment.
        """
        try:
            moment = (value if value.tzinfo else value.replace(tzinfo=self.zone)).astimezone(UTC)
        except OverflowError:
            return LATEST if value.year > LATEST.year else EARLIEST
        return min(max(moment, EARLIEST), LATEST)


# A series is asked often, and what was worked out for it is kept. `start` distinguishes the two
# anchors of a repeated wall time, which compare equal.
@lru_cache(maxsize=256)
def _moments(start: datetime, rule: Recurrence, anchor: datetime, zone: ZoneInfo) -> Moments:
    if rule.is_elapsed():
        return ElapsedMoments(rule, anchor, zone)
    return WallMoments(rule, anchor, zone)


@lru_cache(maxsize=256)
def _last_counted(source: Moments, start: datetime, count: int, last: datetime) -> datetime:
    """Return the `count`th moment after `start`, or `last` if there are fewer up to it."""
    wanted = source.rank(start) + count
    # `low` is before the moment, `high` is not. The years up to it are looked at, and not all.
    low, ahead = start - _SECOND, timedelta(days=400)
    high = min(start + ahead, last)
    while source.rank(high) < wanted:
        if high == last:
            return last
        low, ahead = high, 2 * ahead
        high = min(start + ahead, last)
    while high - low > _SECOND:
        middle = low + (high - low) // 2
        if source.rank(middle) >= wanted:
            high = middle
        else:
            low = middle
    return high


def check(recurrence: Recurrence) -> None:
    """Refuse a rule that cannot occur with any anchor, before any event uses it.

    Raises NeverOccurs. Only `Series.check` finds faults that depend on the anchor, such as HOURLY
    with INTERVAL=2 and BYHOUR=1.
    """
    rule = replace(recurrence, interval=1, count=None, until=None)
    Series(datetime(2000, 1, 1), ZoneInfo("UTC"), rule).check()
