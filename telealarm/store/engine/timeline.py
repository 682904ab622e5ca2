"""The timeline: what happened to an alarm, and why. Each row is written with its change."""

from collections.abc import Sequence
from datetime import datetime

from telealarm.clock import utcnow
from telealarm.models import AlarmRequest, Timeline

_CHUNK = 500


def record(
    alarm_id: int,
    what: str,
    why: str = "",
    *,
    request_id: int | None = None,
    at: datetime | None = None,
) -> None:
    """Add a row. Call it within the write that makes the change."""
    Timeline.insert(
        alarm=alarm_id, request=request_id, at=at or utcnow(), what=what, why=why
    ).execute()


def record_each(requests: Sequence[AlarmRequest], what: str, why: str, *, at: datetime) -> None:
    """Add a row for each request, to the timelines of their alarms."""
    for first in range(0, len(requests), _CHUNK):
        Timeline.insert_many(
            {"alarm": request.alarm_id, "request": request.id, "at": at, "what": what, "why": why}
            for request in requests[first : first + _CHUNK]
        ).execute()
