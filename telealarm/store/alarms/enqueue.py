"""Many alarms that come due at once: their requests are written together.

One by one, ten thousand would keep the writer for ten seconds, and with it whatever comes due a
moment later.
"""

from collections.abc import Sequence
from datetime import datetime

from telealarm.errors import Stale
from telealarm.models import Alarm, AlarmRequest, Event, Timeline
from telealarm.rules import transitions
from telealarm.rules.rate_limit import READY
from telealarm.store.alarms import attempts
from telealarm.store.engine.database import wake
from telealarm.words import AlarmStatus, Method


def enqueue(alarm_ids: Sequence[int], now: datetime) -> list[int]:
    """What requests.enqueue does for one, for those of the alarms that call; returns their ids.

    Raises Stale where one of them was changed meanwhile: then nothing is kept of all.
    """
    calling = (Alarm.status == AlarmStatus.PENDING) & (Alarm.due <= now + READY)
    calling &= Alarm.id.in_(list(alarm_ids)) & (Alarm.method == Method.CALL)
    alarms = list(Alarm.select(Alarm, Event).join(Event).where(calling))
    if not alarms:
        return []
    ids = [alarm.id for alarm in alarms]
    transitions.check(transitions.ALARM, AlarmStatus.PENDING, AlarmStatus.IN_PROCESS)
    moved = Alarm.update(status=AlarmStatus.IN_PROCESS, status_reason="").where(
        calling, Alarm.id.in_(ids)
    )
    if moved.execute() != len(ids):
        raise Stale("one of the alarms was changed by another")
    AlarmRequest.insert_many(
        {
            "owner": alarm.owner_id,
            "alarm": alarm.id,
            "queue": alarm.event.calendar_id,
            "date": max(now, alarm.due or now),
            "expires": attempts.expiry(alarm),
            "created_date": now,
        }
        for alarm in alarms
    ).execute()
    waiting = AlarmRequest.select(AlarmRequest.id, AlarmRequest.alarm).where(
        AlarmRequest.alarm.in_(ids), AlarmRequest.status == AlarmStatus.PENDING
    )
    Timeline.insert_many(
        {"alarm": request.alarm_id, "request": request.id, "at": now, "what": "due", "why": ""}
        for request in waiting
    ).execute()
    wake("dialing")
    wake("planning")  # it watches over the expiry
    return ids
