"""When a calendar feed is polled next."""

from datetime import datetime, timedelta

# A source that fails is asked again after each of these pauses (seconds), but not more often than
# the feed is polled otherwise.
_PAUSES = (60, 300, 900, 1800, 3600, 7200, 14_400, 21_600)
# A source may ask us to wait this long at most (seconds).
_LONGEST_WAIT = 86_400.0


def following(
    now: datetime, poll_seconds: int, failures: int = 0, wait_seconds: float = 0.0
) -> datetime:
    """Return when to poll again, after so many `failures` in a row.

    `wait_seconds`: how long the source asks us to wait (Retry-After).
    """
    pause = float(poll_seconds)
    if failures:
        pause = max(pause, _PAUSES[min(failures, len(_PAUSES)) - 1])
    return now + timedelta(seconds=max(pause, min(wait_seconds, _LONGEST_WAIT)))
