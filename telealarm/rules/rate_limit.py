"""The rate of calls of a trunk: the slots at which its calls may leave.

The slots of a gateway are one interval apart, whichever worker draws them. The interval is a
little longer than the cap requires. A call may leave up to SLACK_SECONDS late: the stretched
interval keeps it out of the neighbouring second. So 98.1 % of the cap can be used.
"""

import math
from collections import deque
from datetime import datetime, timedelta

# By how much the slots of one second are stretched.
SLACK_SECONDS = 0.019
# A slot missed by more than this is not used if other workers have slots around it.
LATE_SECONDS = 0.010
# A call that Asterisk has not acknowledged yet may still leave up to this much later.
UNKNOWN_SECONDS = 1.0
# Asterisk acknowledges a call when it has the channel; the network sees it up to this much later.
SENT_SECONDS = 0.010
# How long before its time an attempt is prepared. At its time it only has to be dialled.
READY = timedelta(seconds=0.25)
# How far ahead slots are drawn. It is short, so edited or urgent calls do not wait long.
AHEAD = timedelta(seconds=0.4)


def interval(calls_per_second: float) -> timedelta:
    """Return the time from one slot to the next."""
    return timedelta(seconds=(1 + SLACK_SECONDS) / calls_per_second)


def slot(free_from: datetime | None, now: datetime, calls_per_second: float) -> datetime:
    """Return the next slot. `free_from` is the slot after the last drawn slot.

    If `free_from` is farther ahead than slots are ever drawn, the clock was set back. Counting then
    starts again after the last slot that may have been drawn.
    """
    if free_from is None or free_from <= now:
        return now
    return min(free_from, now + AHEAD + interval(calls_per_second))


def is_near(at: datetime, now: datetime) -> bool:
    """Return whether the slot may be drawn for a new call now."""
    return at <= now + AHEAD


def again(free_from: datetime) -> datetime:
    """Return when to draw slots again, so that they never run out under load."""
    return free_from - AHEAD / 2


class Window:
    """The calls of one process through one gateway: never more than the cap in a second.

    The slots ensure this if each call keeps its slot. This class ensures it if calls did not: a
    process that was stopped for a while never sends a burst afterwards. Times are seconds of the
    monotonic clock.
    """

    def __init__(self, calls_per_second: float) -> None:
        self._most = max(1, math.ceil(calls_per_second))
        self._seconds = max(1.0, 1 / calls_per_second)
        self._sent: deque[Departure] = deque(maxlen=self._most)

    def opens(self) -> float:
        """Return the earliest moment at which the next call may leave, as far as is known."""
        if len(self._sent) < self._most:
            return -math.inf
        return self._sent[0].at + self._seconds

    def leave(self, now: float) -> "Departure":
        """Record that a call leaves now."""
        departure = Departure(now + UNKNOWN_SECONDS)
        self._sent.append(departure)
        return departure


class Departure:
    """`at`: the time by which the call has left; a late estimate until that is known."""

    def __init__(self, at: float) -> None:
        self.at = at

    def arrived(self, now: float) -> None:
        """Asterisk has answered: the call leaves within SENT_SECONDS, or never will."""
        self.at = min(self.at, now + SENT_SECONDS)
