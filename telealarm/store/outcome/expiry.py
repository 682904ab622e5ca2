"""Expired requests. They are missed, or wait longer if their event was moved."""

from datetime import datetime

from telealarm.models import AlarmRequest
from telealarm.store.alarms import attempts
from telealarm.store.outcome import apply
from telealarm.words import AlarmStatus, Reason


def expire(request_id: int, now: datetime) -> int | None:
    """End a waiting request that is past its expiry. Return the id of the alarm that was missed.

    Return None if the request no longer waits, or if its event was moved and it expires later.
    """
    request = AlarmRequest.get_or_none(
        AlarmRequest.id == request_id, AlarmRequest.status == AlarmStatus.PENDING
    )
    if request is None:
        return None
    expires = attempts.expiry(request.alarm)
    if expires is not None and expires > now:
        attempts.put_off(request, expires)
        return None
    apply.miss(request, Reason.LATE, now)
    return request.alarm_id
