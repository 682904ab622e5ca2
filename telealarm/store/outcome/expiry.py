"""Expired requests. They are missed, or wait longer if their event was moved."""

from datetime import datetime

from telealarm.models import AlarmRequest
from telealarm.store.alarms import attempts, same_moment
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
    if same_moment.firsts([request.alarm]):
        # It ends as the alarm that it waits for.
        attempts.put_off(request, now + same_moment.CHECKED)
        return None
    expires = attempts.expiry(request.alarm)
    if expires is not None and expires > now:
        attempts.put_off(request, expires)
        return None
    capped = request.status_reason == Reason.CONTACT_CAP
    apply.miss(request, Reason.CONTACT_CAP if capped else Reason.LATE, now)
    return request.alarm_id
