"""The timeline: what happened to an alarm, and why. Written with the change that it tells."""

from datetime import datetime

from telealarm.clock import utcnow
from telealarm.models import Timeline


def tell(
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
