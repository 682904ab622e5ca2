"""How close the alarms of a series are: a limit of the manager says how close they may be.

The rule of the series stays valid. Alarms of a rule that is too close are refused. If the rule gets
closer later, the alarms of the occurrences in between are missed.
"""

from datetime import datetime, timedelta
from itertools import pairwise

from telealarm.errors import LimitReached
from telealarm.models import Alarm, Event
from telealarm.rules.recurrence import Series
from telealarm.store.access import limits
from telealarm.words import Reason

# So many occurrences are compared, of so many days.
_COMPARED, _WITHIN = 50, timedelta(days=366)


def check(event: Event, series: Series | None, now: datetime) -> None:
    """Raise LimitReached if the occurrences of `event` to come are too close for alarms."""
    gap = _gap(event)
    if not gap or series is None:
        return
    since = max(now, event.start)
    starts = [one.start for one in series.occurrences(since, since + _WITHIN, _COMPARED)]
    closest = min((b - a for a, b in pairwise(starts)), default=gap)
    if closest < gap:
        raise LimitReached(
            f"min_series_minutes is {gap // _MINUTE}, and the rule repeats the event after"
            f" {closest.total_seconds():g} s: its alarms would be too close. A superuser can lower"
            " the limit."
        )


class Crowded:
    """Tells which occurrences of a series, in their order from `first` on, are too close."""

    def __init__(self, parent: Event, first: datetime) -> None:
        self._gap = _gap(parent)
        self._last = _last(parent, first, self._gap) if self._gap else None

    def why(self, start: datetime) -> str:
        """Return why the alarms of the occurrence at `start` are missed; empty: they are not."""
        if self._gap and self._last is not None and start - self._last < self._gap:
            return (
                f"min_series_minutes is {self._gap // _MINUTE}, and the last alarm of the series"
                f" is that of {self._last:%Y-%m-%d %H:%M:%S}Z"
            )
        self._last = start
        return ""


_MINUTE = timedelta(minutes=1)


def _gap(event: Event) -> timedelta:
    return timedelta(minutes=limits.of(event.owner_id).series_minutes or 0)


def _last(parent: Event, first: datetime, gap: timedelta) -> datetime | None:
    """Return the last occurrence before `first` whose alarms were not missed for the limit."""
    follows = first - gap < parent.start < first
    since = parent.start if follows else first - gap
    row = (
        Event.select(Event.original_start)
        .join(Alarm)
        .where(
            Event.parent_event == parent.id,
            Event.original_start > since,
            Event.original_start < first,
            Alarm.status_reason != Reason.LIMIT,
        )
        .order_by(Event.original_start.desc())
        .limit(1)
        .get_or_none()
    )
    if row is not None:
        return row.original_start
    return parent.start if follows else None
