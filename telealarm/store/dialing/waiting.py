"""Attempts that wait for their turn, because a gateway or calendar has all the calls it may have.

Their timeline says so once.
"""

from collections.abc import Sequence
from datetime import datetime

from telealarm.models import (
    AlarmRequest,
    Calendar,
    CalendarSetting,
    CalendarUserProfile,
    Gateway,
)
from telealarm.store.alarms.attempts import NO_CALL
from telealarm.store.engine.timeline import record_each
from telealarm.words import AlarmStatus, Reason, TimelineWord

# How many attempts are told at a time. The others are told a moment later.
MOST = 200
# Attempts with these reasons have another line in their timeline already.
_TOLD = [Reason.AT_CAP, Reason.FAILOVER, Reason.DIALING_PAUSED, Reason.SAME_MOMENT]


def tell(calendars: Sequence[int], gateways: Sequence[int], now: datetime) -> None:
    """Tell the due attempts that wait for one of these full calendars or gateways."""
    if calendars:
        names = _names(Calendar, calendars)
        for calendar_id, name in names.items():
            _tell([calendar_id], f"calendar {name} has all the calls it may have", now)
    for gateway_id, name in _names(Gateway, gateways).items() if gateways else ():
        through = (
            Calendar.select(Calendar.id)
            .join(CalendarUserProfile, on=CalendarUserProfile.user == Calendar.user)
            .join(CalendarSetting)
            .where(CalendarSetting.aleg_gateway == gateway_id)
        )
        queues = [row.id for row in through]
        _tell(queues, f"gateway {name} has all the calls it may have", now)


def _names(model: type[Calendar] | type[Gateway], ids: Sequence[int]) -> dict[int, str]:
    return {row.id: row.name for row in model.select().where(model.id.in_(list(ids)))}


def _tell(queues: Sequence[int], why: str, now: datetime) -> None:
    if not queues:
        return
    rows = (
        AlarmRequest.select()
        .where(
            AlarmRequest.status == AlarmStatus.PENDING,
            AlarmRequest.waits_for == 0,
            AlarmRequest.queue > NO_CALL,
            AlarmRequest.queue.in_(list(queues)),
            AlarmRequest.date <= now,
            AlarmRequest.status_reason.not_in(_TOLD),
        )
        .order_by(AlarmRequest.date)
        .limit(MOST)
    )
    requests = list(rows)
    if requests:
        AlarmRequest.update(status_reason=Reason.AT_CAP).where(
            AlarmRequest.id.in_([request.id for request in requests]),
            AlarmRequest.status == AlarmStatus.PENDING,
        ).execute()
        record_each(requests, TimelineWord.WAITS, why, at=now)
