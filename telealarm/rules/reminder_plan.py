"""Which steps of a reminder plan an event owes, and when.

1. The offset of a step is a distance on the wall clock of the event: 24 hours before Monday 9:00 is
   Sunday 9:00, also if the clock changes in between.
2. A step may be for some types of events only, or for events that were booked early enough.
3. Of the steps before the event whose time has passed already, only the nearest to the event goes
   out: a person gets one late notice, and not three at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from telealarm.rules import dates
from telealarm.words import AT_ONCE, AlarmResult, Reason, StepTrigger


@dataclass(frozen=True)
class Step:
    """A step of a plan. `offset_seconds` is not negative: `trigger` says in which direction."""

    id: int
    trigger: str
    offset_seconds: int = 0
    booked_ahead_hours: int | None = None
    types: tuple[str, ...] = ()

    def is_for(self, event_type: str) -> bool:
        """Return whether the step is for events of this type. Capital letters do not count."""
        wanted = event_type.strip().casefold()
        return not self.types or wanted in {one.strip().casefold() for one in self.types}


@dataclass(frozen=True)
class Occasion:
    """An event that has a plan: its times and when it was booked, in UTC.

    `said_start`: its start on the wall clock, if the clock of its `zone` skips it.
    """

    start: datetime
    end: datetime
    zone: ZoneInfo
    booked: datetime
    said_start: str | None = None

    @property
    def wall(self) -> datetime:
        """The start on the wall clock."""
        return dates.wall_clock(self.start, self.zone, self.said_start)


def offset(step: Step, occasion: Occasion) -> int:
    """Return the distance from the event's start to the step, in seconds on the wall clock."""
    if step.trigger == StepTrigger.BEFORE:
        return -step.offset_seconds
    lasts = dates.wall_clock(occasion.end, occasion.zone) - occasion.wall
    return round(lasts.total_seconds()) + step.offset_seconds


def fold(step: Step) -> int:
    """Return which of two equal wall times is meant: after an event the second, so that nobody is
    asked before its end.
    """
    return int(step.trigger == StepTrigger.AFTER)


def due(step: Step, occasion: Occasion) -> datetime:
    """Return when a step before or after the event is due (UTC)."""
    distance = timedelta(seconds=offset(step, occasion))
    return dates.at_distance(occasion.start, occasion.wall, distance, occasion.zone, fold(step))


def booked_late(step: Step, occasion: Occasion) -> bool:
    """Return whether the event was booked too late for the step. The hours are elapsed time."""
    if step.booked_ahead_hours is None:
        return False
    return occasion.start - occasion.booked <= timedelta(hours=step.booked_ahead_hours)


def not_owed(steps: Sequence[Step], occasion: Occasion, now: datetime) -> dict[int, Reason]:
    """Return the ids of the steps that do not go out, each with the reason."""
    reasons = {step.id: Reason.BOOKED_LATE for step in steps if booked_late(step, occasion)}
    before = [step for step in steps if step.trigger == StepTrigger.BEFORE]
    moments = {step.id: due(step, occasion) for step in before if step.id not in reasons}
    passed = {number: moment for number, moment in moments.items() if moment <= now}
    nearest = max(passed.values(), default=now)
    reasons |= {number: Reason.LATER_STEP for number, moment in passed.items() if moment < nearest}
    return reasons


def is_settled(result: int, trigger: str, *, only_if_unanswered: bool) -> bool:
    """Return whether the answer `result` calls off an alarm that a step with `trigger` made.

    Who says no, or wants another time, is reminded no more. What tells of a booking, a move or a
    cancellation goes out whatever the answer is.
    """
    if trigger in AT_ONCE or result == AlarmResult.NONE:
        return False
    return only_if_unanswered or result in (AlarmResult.CANCELLED, AlarmResult.RESCHEDULED)
