"""Queries of the planner: which alarms are due, which events are over."""

from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from peewee import Select, fn

from telealarm.models import Alarm, AlarmRequest, Event
from telealarm.rules.rate_limit import READY
from telealarm.store.alarms import attempts
from telealarm.store.engine.prepared import Given, Prepared
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


def enqueue(alarm_id: int, now: datetime) -> AlarmRequest | None:
    """Enqueue an alarm that is due within READY. Return its request.

    Return None if the alarm was cancelled, moved or enqueued meanwhile.
    """
    alarm = Alarm.get_or_none(
        Alarm.id == alarm_id, Alarm.status == AlarmStatus.PENDING, Alarm.due <= now + READY
    )
    if alarm is None:
        return None
    return attempts.enqueue(alarm, max(now, alarm.due or now), now)


@dataclass(frozen=True)
class Agenda:
    """What the planner has to do, and when there is more.

    `some_due`: an alarm is to be made ready. `ready`: when the next one is. `expiry`: when a
    waiting request expires, or has expired. `some_over`: events are to be completed.
    """

    some_due: bool
    ready: datetime | None
    expiry: datetime | None
    some_over: bool

    def next(self, *others: datetime | None) -> datetime | None:
        """Return the first moment: of the next alarm, of an expiry, or of the others."""
        moments = (self.ready, self.expiry, *others)
        return min((moment for moment in moments if moment is not None), default=None)


def agenda(now: datetime) -> Agenda:
    """Return what the planner has to do, by one statement."""
    ((some_due, later, expiry, over),) = _AGENDA.tuples(now=now, soon=now + READY)
    alarm = Alarm.due.python_value(later)
    ready = alarm and alarm - READY
    return Agenda(bool(some_due), ready, Alarm.due.python_value(expiry), bool(over))


def _agenda() -> Any:
    soon = Given("soon", Alarm.due)
    pending = Alarm.status == AlarmStatus.PENDING
    due = fn.EXISTS(Alarm.select(Alarm.id).where(pending, Alarm.due <= soon))
    later = Alarm.select(fn.MIN(Alarm.due)).where(pending, Alarm.due > soon)
    requests = AlarmRequest.select(fn.MIN(AlarmRequest.expires)).where(
        AlarmRequest.status == AlarmStatus.PENDING, AlarmRequest.expires.is_null(False)
    )
    over = fn.EXISTS(Event.select(Event.id).where(_over(Given("now", Event.end))))
    return Select(columns=[due, later, requests, over])


_AGENDA = Prepared(Alarm, _agenda)


def complete_events(now: datetime) -> None:
    """Complete the events that are over and whose alarms are settled."""
    Event.update(status=EventStatus.COMPLETED).where(_over(now)).execute()


def _over(now: "datetime | Given") -> Any:
    unsettled = Alarm.select(Alarm.event).where(
        Alarm.event == Event.id, Alarm.status.in_(UNSETTLED), Alarm.deleted.is_null()
    )
    return (
        (Event.status == EventStatus.PENDING)
        & (Event.end <= now)
        & ~fn.EXISTS(unsettled)
        & Event.deleted.is_null()
    )
