"""The occurrences of an event: its rule, the anchor that starts the count, and its end."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from telealarm.errors import NeverOccurs, RecurrenceTooCostly
from telealarm.rules.dates import EARLIEST, LATEST, OUT_OF_RANGE
from telealarm.rules.recurrence import elapsed, wall
from telealarm.rules.recurrence.budget import BUDGET, Budget
from telealarm.rules.recurrence.rule import Recurrence

# The smallest step of a datetime.
_TICK = datetime.resolution


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
    - The search for the next occurrence takes at most `budget` steps and does not start at the
      anchor. Only a COUNT is counted through, once in a process. A series that passes `check` never
      raises RecurrenceTooCostly afterwards.

    Raises ValueError if the anchor is not naive, or lies outside 1600 to 2199.
    """

    anchor: datetime
    zone: ZoneInfo
    recurrence: Recurrence
    end: datetime | None = None
    exdates: frozenset[datetime] = frozenset()
    budget: int = BUDGET

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
        Raises RecurrenceTooCostly.
        """
        occurrences: list[Occurrence] = []
        if limit > 0:
            for occurrence in self._between(after, before):
                occurrences.append(occurrence)
                if len(occurrences) == limit:
                    break
        return occurrences

    def following(self, moment: datetime) -> Occurrence | None:
        """Return the first occurrence after `moment`. Raises RecurrenceTooCostly."""
        return next(self._between(self._moment(moment) + _TICK, None), None)

    def count(self, after: datetime | None = None, before: datetime | None = None) -> int | None:
        """Return how many occurrences there are from `after` (inclusive) to `before` (exclusive).

        Returns None for an endless series without `before`, and if the budget is too small.
        """
        rule = self.recurrence
        if before is None and self.end is None and rule.count is None and rule.until is None:
            return None
        try:
            return sum(1 for _ in self._between(after, before, Budget(self.budget)))
        except RecurrenceTooCostly:
            return None

    def excludes(self, moment: datetime) -> bool:
        """Return whether an occurrence at `moment` is in `exdates`."""
        return self._moment(moment) in {self._moment(exdate) for exdate in self.exdates}

    def check(self) -> None:
        """Refuse a rule that cannot be used from this anchor.

        1. Raises NeverOccurs if only the anchor would occur, even without COUNT, UNTIL and `end`.
        2. Raises RecurrenceTooCostly if the next occurrence, or the end of a COUNT, is beyond the
           budget. After a successful check no later question exceeds it.
        """
        rule = replace(self.recurrence, count=None, until=None)
        endless = replace(self, recurrence=rule, end=None, exdates=frozenset())
        if endless.following(self._start) is None:
            raise NeverOccurs
        _ = self._last

    def _between(
        self, after: datetime | None, before: datetime | None, whole: Budget | None = None
    ) -> Iterator[Occurrence]:
        """Yield occurrences. They share the budget `whole`, or each has its own budget."""
        excluded = {self._moment(exdate) for exdate in self.exdates}
        since = self._start if after is None else max(self._start, self._moment(after))
        stop = LATEST if before is None else self._moment(before)
        for start, local in self._all(since, min(self._last, stop - _TICK), whole):
            if since <= start < stop and start not in excluded:
                yield Occurrence(start, local)

    def _all(
        self, since: datetime, last: datetime, whole: Budget | None
    ) -> Iterator[tuple[datetime, datetime]]:
        """Yield the anchor, then every occurrence from `since` to `last`, excluded ones too."""
        start = self._start
        yield start, self.anchor
        budget = whole or Budget(self.budget)
        for moment, local in _moments(self.recurrence, self.anchor, self.zone, since, last, budget):
            if start < moment <= last:
                yield moment, local
                if whole is None:
                    budget.renew()

    @property
    def _start(self) -> datetime:
        return self._moment(self.anchor)

    @property
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
        if rule.count is None:
            return last
        if rule.is_elapsed() and not rule.has_by_parts():
            unit = elapsed.unit(rule)
            steps = min((rule.count - 1) * rule.interval, (LATEST - EARLIEST) // unit)
            return min(last, self._start + steps * unit)
        return _last_counted(self._start, rule, self.anchor, self.zone, last, self.budget)

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


def _moments(
    rule: Recurrence,
    anchor: datetime,
    zone: ZoneInfo,
    since: datetime,
    until: datetime,
    budget: Budget,
) -> Iterator[tuple[datetime, datetime]]:
    source = elapsed.moments if rule.is_elapsed() else wall.moments
    return source(rule, anchor, zone, since=since, until=until, budget=budget)


# A series is asked often; its COUNT is counted through once. `start` distinguishes the two anchors
# of a repeated wall time, which compare equal.
@lru_cache(maxsize=4096)
def _last_counted(
    start: datetime,
    rule: Recurrence,
    anchor: datetime,
    zone: ZoneInfo,
    until: datetime,
    budget: int,
) -> datetime:
    """Return the moment of the last occurrence that COUNT allows, or of the last up to `until`."""
    last, left = start, (rule.count or 1) - 1
    if left == 0:
        return last
    for moment, _ in _moments(rule, anchor, zone, start, until, Budget(budget)):
        if moment > until:
            break
        if moment > start:
            last, left = moment, left - 1
            if left == 0:
                break
    return last


def check(recurrence: Recurrence, budget: int = BUDGET) -> None:
    """Refuse a rule that cannot occur with any anchor, before any event uses it.

    Raises NeverOccurs or RecurrenceTooCostly. Only `Series.check` finds faults that depend on the
    anchor, such as HOURLY with INTERVAL=2 and BYHOUR=1.
    """
    rule = replace(recurrence, interval=1, count=None, until=None)
    Series(datetime(2000, 1, 1), ZoneInfo("UTC"), rule, budget=budget).check()
