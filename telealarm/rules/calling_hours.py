"""Calling hours and expiry: when an alarm may ring, and until when it is wanted."""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
# How long an alarm is wanted that is due when its event is over, such as a question how it was.
FOLLOW_UP = timedelta(days=1)
# Hours that do not open within this many days never open.
_DAYS_AHEAD = 366


@dataclass(frozen=True)
class CallingHours:
    """The hours in which a recipient may be called, by the wall clock of their `zone`.

    - They last from `start` to `stop`, both included to the second. They may cross midnight (22:00
      to 06:00).
    - `days` are weekdays; 0 is Monday. Hours do not open on other days, nor on `holidays`.
    - The hours after midnight belong to the day on which they opened. If Friday is a calling day
      and Saturday is not, 22:00 to 06:00 lasts until Saturday at 06:00.
    - Only the time that the wall clock shows counts. A time that comes twice is open both times.
      If the clock jumps over `start`, the hours open at the first time within them.
    """

    start: time
    stop: time
    zone: ZoneInfo
    days: frozenset[int] = frozenset(range(7))
    holidays: Container[date] = frozenset()

    def is_open(self, at: datetime) -> bool:
        """Return whether the recipient may be called at this moment."""
        local = at.astimezone(self.zone)
        clock, day = local.time().replace(microsecond=0), local.date()
        if self.start <= self.stop:
            return self.start <= clock <= self.stop and self._permits(day)
        if clock >= self.start:
            return self._permits(day)
        return clock <= self.stop and self._permits(day - _DAY)

    def opening(self, at: datetime) -> datetime | None:
        """Return `at` if it is within the hours, else the next moment at which they open (UTC).

        Returns None if that is more than a year away.
        """
        if self.is_open(at):
            return at
        first = at.astimezone(self.zone).date() - _DAY
        for ahead in range(_DAYS_AHEAD + 2):
            day = first + timedelta(days=ahead)
            # The clock may be put back into hours that opened on the day before.
            if self._permits(day) or self._permits(day - _DAY):
                for moment in self._changes(day):
                    if moment > at and self.is_open(moment):
                        return moment
        return None

    def _permits(self, day: date) -> bool:
        return day.weekday() in self.days and day not in self.holidays

    def _changes(self, day: date) -> list[datetime]:
        """Return the moments of this day at which the hours can open, in order."""
        starts = datetime.combine(day, self.start, self.zone)
        moments = {starts.replace(fold=fold).astimezone(UTC) for fold in (0, 1)}
        midnight = datetime.combine(day, time(0), self.zone).astimezone(UTC)
        following = datetime.combine(day + _DAY, time(0), self.zone).astimezone(UTC)
        return sorted(moments.union(_turns(midnight, following, self.zone)))


def opening(at: datetime, *parts: CallingHours) -> datetime | None:
    """Return `at` if it is within all of these hours, else the next moment at which it is (UTC).

    They have one zone. Returns None if there is no such moment within a year.
    """
    if not all(_overlap(one, other) for one in parts for other in parts):
        return None
    moment, last = at, at + _DAYS_AHEAD * _DAY
    while moment <= last:
        later = moment
        for part in parts:
            opens = part.opening(later)
            if opens is None:
                return None
            later = opens
        if later == moment:
            return moment
        moment = later
    return None


def _overlap(one: CallingHours, other: CallingHours) -> bool:
    """Return whether both are open at some time of a day."""
    return _holds(one, other.start) or _holds(other, one.start)


def _holds(hours: CallingHours, clock: time) -> bool:
    if hours.start <= hours.stop:
        return hours.start <= clock <= hours.stop
    return clock >= hours.start or clock <= hours.stop


def _turns(since: datetime, until: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the moment between the two (at most a day apart) at which the clock changes."""
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
    """Return the moment after which nobody wants this alarm any more.

    1. `max_lateness_seconds` after `due`, if it is given.
    2. A day after `due`, if it is due when the event is over.
    3. The event's end, if the alarm is due with its event or later, or if its policy is `run`.
    4. Else the event's start: the alarm is a reminder.
    """
    if max_lateness_seconds is not None:
        return due + timedelta(seconds=max_lateness_seconds)
    if due >= end:
        return due + FOLLOW_UP
    return end if due >= start or missed_policy == "run" else start
