"""The timeline: what happened to an alarm, and why. Written with the change that it tells."""

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
    """Add a row; call it within the write that makes the change."""
    Timeline.insert(
        alarm=alarm_id, request=request_id, at=at or utcnow(), what=what, why=why
    ).execute()


def record_each(requests: Sequence[AlarmRequest], what: str, why: str, *, at: datetime) -> None:
    """The same of many requests, in the timelines of their alarms."""
    for first in range(0, len(requests), _CHUNK):
        Timeline.insert_many(
            {"alarm": one.alarm_id, "request": one.id, "at": at, "what": what, "why": why}
            for one in requests[first : first + _CHUNK]
        ).execute()
