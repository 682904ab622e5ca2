"""Queries of the planner: which alarms are due, which events are over."""

from datetime import datetime
from operator import attrgetter
from typing import Any

from peewee import fn

from telealarm.models import Alarm, AlarmRequest, Event
from telealarm.rules.rate_limit import READY
from telealarm.store.alarms import attempts
from telealarm.store.engine.crud import selected_moment
from telealarm.words import UNSETTLED, AlarmStatus, EventStatus


def due_alarms(now: datetime, limit: int) -> list[int]:
    """Return the ids of up to `limit` pending alarms that are due, oldest first.

    Those of the same moment come in the order in which they were written.
    """
    rows = (
        Alarm.select(Alarm.due, Alarm.id)
        .where(Alarm.status == AlarmStatus.PENDING, Alarm.due <= now)
        .order_by(Alarm.due)
        .limit(limit)
    )
    # Sorted here: PostgreSQL would sort a whole crowd of one moment for each batch of it.
    return [row.id for row in sorted(rows, key=attrgetter("due", "id"))]


def enqueue(alarm_id: int, now: datetime) -> int | None:
    """Enqueue an alarm that is due within READY. Return the id of its request.

    Return None if the alarm was cancelled, moved or enqueued meanwhile.
    """
    alarm = Alarm.get_or_none(
        Alarm.id == alarm_id, Alarm.status == AlarmStatus.PENDING, Alarm.due <= now + READY
    )
    if alarm is None:
        return None
    return attempts.enqueue(alarm, max(now, alarm.due or now), now).id


def next_due() -> datetime | None:
    """Return when the next alarm is to be made ready or the next waiting request expires."""
    alarm = selected_moment(
        Alarm.select(fn.MIN(Alarm.due)).where(
            Alarm.status == AlarmStatus.PENDING, Alarm.due.is_null(False)
        )
    )
    expiry = selected_moment(
        AlarmRequest.select(fn.MIN(AlarmRequest.expires)).where(
            AlarmRequest.status == AlarmStatus.PENDING, AlarmRequest.expires.is_null(False)
        )
    )
    ready = alarm and alarm - READY
    return min((moment for moment in (ready, expiry) if moment is not None), default=None)


def some_over(now: datetime) -> bool:
    """Return whether an event is over and its alarms are settled."""
    return Event.select().where(_over(now)).exists()


def complete_events(now: datetime) -> None:
    """Complete the events that are over and whose alarms are settled."""
    Event.update(status=EventStatus.COMPLETED).where(_over(now)).execute()


def _over(now: datetime) -> Any:
    unsettled = Alarm.select(Alarm.event).where(
        Alarm.event == Event.id, Alarm.status.in_(UNSETTLED), Alarm.deleted.is_null()
    )
    return (
        (Event.status == EventStatus.PENDING)
        & (Event.end <= now)
        & ~fn.EXISTS(unsettled)
        & Event.deleted.is_null()
    )
