"""Every reading of the clock, so that tests can turn it."""

import time
from datetime import UTC, datetime


def utcnow() -> datetime:
    """The wall clock, aware, in UTC. It may jump; deadlines of the past second use `monotonic`."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds that never run backwards, for time limits and pacing."""
    return time.monotonic()
