"""The pace of a trunk: slots at which its calls may leave.

Slots of one gateway lie evenly, one interval apart, whichever worker draws them. The interval is a
little longer than the cap asks for: what a call leaves late by, up to SLACK_SECONDS, then takes
none into the window of the second before or after. So 98.5 % of the cap can be used.
"""

import math
from collections import deque
from datetime import datetime, timedelta

# By how much one second's worth of slots is stretched.
SLACK_SECONDS = 0.015
# A slot that is missed by more than this is not used, where other workers have slots around it.
LATE_SECONDS = 0.010
# A call of which Asterisk has not said that it took it may leave so much later.
UNKNOWN_SECONDS = 1.0
# How long before it is due an attempt is made ready: all that is left to do then is to dial.
READY = timedelta(seconds=0.25)
# How far ahead slots are drawn: short, so that what is edited or urgent is not behind a long queue.
AHEAD = timedelta(seconds=0.4)


def interval(calls_per_second: float) -> timedelta:
    """From one slot to the next."""
    return timedelta(seconds=(1 + SLACK_SECONDS) / calls_per_second)


def slot(free_from: datetime | None, now: datetime, calls_per_second: float) -> datetime:
    """The next slot. `free_from` is when the one after the last drawn lies.

    Where that is farther ahead than slots are ever drawn, the clock was set back, and the count
    begins anew behind what may have been drawn.
    """
    if free_from is None or free_from <= now:
        return now
    return min(free_from, now + AHEAD + interval(calls_per_second))


def is_near(at: datetime, now: datetime) -> bool:
    """Whether the slot may be drawn for a new call now."""
    return at <= now + AHEAD


def again(free_from: datetime) -> datetime:
    """When to draw slots again, so that they never run out under load."""
    return free_from - AHEAD / 2


class Window:
    """The calls of one process through one gateway: never more than the cap in a second.

    The slots see to that while each is kept. This holds where some were not: a process that was
    held up never sends a burst after it. Times are seconds of the monotonic clock.
    """

    def __init__(self, calls_per_second: float) -> None:
        self._most = max(1, math.ceil(calls_per_second))
        self._seconds = max(1.0, 1 / calls_per_second)
        self._sent: deque[Departure] = deque(maxlen=self._most)

    def opens(self) -> float:
        """When the next call may leave at the earliest, as far as it is known yet."""
        if len(self._sent) < self._most:
            return -math.inf
        return self._sent[0].at + self._seconds

    def leave(self, now: float) -> "Departure":
        """A call leaves now."""
        departure = Departure(now + UNKNOWN_SECONDS)
        self._sent.append(departure)
        return departure


class Departure:
    """`at`: by when the call is on its way; late, until that is known."""

    def __init__(self, at: float) -> None:
        self.at = at

    def arrived(self, now: float) -> None:
        """Asterisk has answered: the call is on its way, or will never be."""
        self.at = min(self.at, now)
