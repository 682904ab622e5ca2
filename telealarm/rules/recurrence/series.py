"""The occurrences of one event: a rule, the anchor that it counts from, and what ends it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from telealarm.errors import NeverOccurs, RecurrenceTooCostly
from telealarm.rules.dates import EARLIEST, LATEST
from telealarm.rules.recurrence import elapsed, wall
from telealarm.rules.recurrence.budget import BUDGET, Budget
from telealarm.rules.recurrence.rule import Recurrence

# The smallest step of a datetime.
_TICK = datetime.resolution


@dataclass(frozen=True)
class Occurrence:
    """`start` is aware, in UTC. `local` is the naive wall time that the rule says.

    The two differ where `local` lies in a gap of the clock: `start` is then later by the gap.
    """

    start: datetime
    local: datetime


@dataclass(frozen=True)
class Series:
    """`recurrence` from `anchor`, the event's own naive start on the wall clock of `zone`.

    - The anchor is the first occurrence and counts, whether the rule fits it or not. Nothing is
      before it. COUNT and UNTIL are reckoned from it, whatever is asked for.
    - DAILY to YEARLY name wall times. One in a gap of the clock moves forward by the gap, one that
      comes twice is the first; two wall times that are one moment are one occurrence.
    - HOURLY and MINUTELY step in elapsed time; their BY parts are read on the wall clock. An
      anchor of `fold` 1 is the second of its two moments.
    - `end` (UTC) is inclusive, as UNTIL is. An occurrence of `exdates` does not happen, though it
      counts; each is a naive wall time, converted like those of the rule, or an aware moment.
    - There is nothing from the year 2200 on.
    - From one occurrence to the next it takes at most `budget` steps, and no walk from the anchor,
      except that a COUNT is counted through once in a process. What passes `check` never raises
      RecurrenceTooCostly afterwards.

    Raises ValueError for an anchor that is not naive, or that lies outside 1970 to 2199.
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
            raise ValueError("the year must lie between 1970 and 2199")

    def occurrences(
        self, after: datetime | None, before: datetime | None, limit: int
    ) -> list[Occurrence]:
        """The first `limit` occurrences from `after` (inclusive) to `before` (exclusive), in order.

        A naive one is on the wall clock of `zone`; None leaves that side open. Raises
        RecurrenceTooCostly.
        """
        found: list[Occurrence] = []
        if limit > 0:
            for occurrence in self._between(after, before):
                found.append(occurrence)
                if len(found) == limit:
                    break
        return found

    def following(self, moment: datetime) -> Occurrence | None:
        """The first occurrence later than `moment`. Raises RecurrenceTooCostly."""
        return next(self._between(self._moment(moment) + _TICK, None), None)

    def count(self, after: datetime | None = None, before: datetime | None = None) -> int | None:
        """How many occurrences there are, from `after` (inclusive) to `before` (exclusive).

        None for an endless series without `before`, and where the budget does not reach.
        """
        rule = self.recurrence
        if before is None and self.end is None and rule.count is None and rule.until is None:
            return None
        try:
            return sum(1 for _ in self._between(after, before, Budget(self.budget)))
        except RecurrenceTooCostly:
            return None

    def excludes(self, moment: datetime) -> bool:
        """Whether an occurrence at `moment` is one of `exdates`."""
        return self._moment(moment) in {self._moment(exdate) for exdate in self.exdates}

    def check(self) -> None:
        """Refuse a rule that cannot be used from this anchor.

        Raises NeverOccurs where nothing but the anchor would occur even without COUNT, UNTIL and
        `end`, and RecurrenceTooCostly where the next occurrence, or a whole series that has to be
        counted through, is beyond the budget. Afterwards no question is.
        """
        rule = replace(self.recurrence, count=None, until=None)
        endless = replace(self, recurrence=rule, end=None, exdates=frozenset())
        if endless.following(self._start) is None:
            raise NeverOccurs
        _ = self._last

    def _between(
        self, after: datetime | None, before: datetime | None, whole: Budget | None = None
    ) -> Iterator[Occurrence]:
        """`whole` is spent by all of them together, else each has a budget of its own."""
        excluded = {self._moment(exdate) for exdate in self.exdates}
        since = self._start if after is None else max(self._start, self._moment(after))
        stop = LATEST if before is None else self._moment(before)
        for start, local in self._all(since, min(self._last, stop - _TICK), whole):
            if since <= start < stop and start not in excluded:
                yield Occurrence(start, local)

    def _all(
        self, since: datetime, last: datetime, whole: Budget | None
    ) -> Iterator[tuple[datetime, datetime]]:
        """The anchor, then every occurrence from `since` to `last`, excluded ones too."""
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
        """The moment past which there is no occurrence, but for the anchor itself."""
        rule = self.recurrence
        ends = [LATEST - _TICK]
        if self.end is not None:
            ends.append(self._moment(self.end))
        if rule.until is not None:
            # To the second, so that an anchor with a fraction of one does not miss it.
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
        """`value` in UTC; a naive one in a gap moves forward, one that comes twice is its fold.

        What lies outside the years 1970 to 2199 is their first or last moment.
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


# A series is asked again and again; it is counted through once. `start` tells apart the two
# anchors that a repeated wall time can be, which compare equal.
@lru_cache(maxsize=4096)
def _last_counted(
    start: datetime,
    rule: Recurrence,
    anchor: datetime,
    zone: ZoneInfo,
    until: datetime,
    budget: int,
) -> datetime:
    """The moment of the last occurrence that COUNT allows, or the last one up to `until`."""
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
    """Refuse, before any event has it, a rule that no anchor can make occur.

    Raises NeverOccurs or RecurrenceTooCostly. What depends on the anchor, such as HOURLY with
    INTERVAL=2 and BYHOUR=1, only `Series.check` can tell.
    """
    rule = replace(recurrence, interval=1, count=None, until=None)
    Series(datetime(2000, 1, 1), ZoneInfo("UTC"), rule, budget=budget).check()
