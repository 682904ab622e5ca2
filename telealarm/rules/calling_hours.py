"""Calling hours, expiry and notice: when an alarm may ring, and until when it is wanted."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
# Hours that do not open within so many days do not open.
_DAYS_AHEAD = 366


@dataclass(frozen=True)
class CallingHours:
    """When a recipient may be rung: by the clock on the wall of their `zone`.

    From `start` to `stop`, both included to the second; they may cross midnight (22:00 to 06:00).
    `days` are weekdays, 0 is Monday. What opens on a day that is none of them, or on a holiday,
    stays closed. The hours after midnight belong to the day on which they opened: where Friday is
    a calling day and Saturday is not, 22:00 to 06:00 lasts until Saturday at 06:00.

    Only what the wall clock reads counts. A reading that comes twice is open both times; where the
    clock jumps over `start`, the hours open with the first reading that lies within them.
    """

    start: time
    stop: time
    zone: ZoneInfo
    days: frozenset[int] = frozenset(range(7))
    holidays: frozenset[date] = frozenset()

    def is_open(self, at: datetime) -> bool:
        """Whether somebody may be rung at this moment."""
        local = at.astimezone(self.zone)
        clock, day = local.time().replace(microsecond=0), local.date()
        if self.start <= self.stop:
            return self.start <= clock <= self.stop and self._permits(day)
        if clock >= self.start:
            return self._permits(day)
        return clock <= self.stop and self._permits(day - _DAY)

    def opening(self, at: datetime) -> datetime | None:
        """`at` where it lies within the hours, else the next moment at which they open (UTC).

        None where that is more than a year away.
        """
        if self.is_open(at):
            return at
        first = at.astimezone(self.zone).date() - _DAY
        for ahead in range(_DAYS_AHEAD + 2):
            day = first + timedelta(days=ahead)
            # What opened on the day before can be what the clock is put back into.
            if self._permits(day) or self._permits(day - _DAY):
                for moment in self._changes(day):
                    if moment > at and self.is_open(moment):
                        return moment
        return None

    def _permits(self, day: date) -> bool:
        return day.weekday() in self.days and day not in self.holidays

    def _changes(self, day: date) -> list[datetime]:
        """In order, the moments of this day at which the hours can open."""
        starts = datetime.combine(day, self.start, self.zone)
        moments = {starts.replace(fold=fold).astimezone(UTC) for fold in (0, 1)}
        midnight = datetime.combine(day, time(0), self.zone).astimezone(UTC)
        following = datetime.combine(day + _DAY, time(0), self.zone).astimezone(UTC)
        return sorted(moments.union(_turns(midnight, following, self.zone)))


def _turns(since: datetime, until: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The moment between the two, a day apart at the most, at which the clock is put on or back."""
    before = since.astimezone(zone).utcoffset()
    if until.astimezone(zone).utcoffset() == before:
        return
    while until - since > _SECOND:
        middle = since + (until - since) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == before:
            since = middle
        else:
            until = middle
    yield until


def expiry(
    *,
    due: datetime,
    start: datetime,
    end: datetime,
    max_lateness_seconds: int | None,
    missed_policy: str = "inform",
) -> datetime:
    """The moment past which nobody wants this alarm any more.

    `max_lateness_seconds` after `due`, where that is said. Else the event's end for an alarm that
    is due with its event or later, or that is `run` late; and the event's start for a reminder.
    """
    if max_lateness_seconds is not None:
        return due + timedelta(seconds=max_lateness_seconds)
    return end if due >= start or missed_policy == "run" else start
