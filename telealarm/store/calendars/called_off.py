"""Events that their source called off, and that it may bring back."""

from collections.abc import Collection, Iterator
from datetime import datetime

from telealarm.models import Alarm, Event
from telealarm.store.alarms import alarms, parents
from telealarm.store.calendars import children, events
from telealarm.store.engine import crud
from telealarm.store.engine.timeline import record
from telealarm.store.engine.transition import move
from telealarm.store.messages import invitations
from telealarm.store.reminder_plans import notices
from telealarm.words import UNSETTLED, AlarmStatus, EventStatus, Reason, StepTrigger, TimelineWord


def is_ahead(event: Event, now: datetime) -> bool:
    """Return whether the event, or an occurrence of it, is still to come."""
    return event.end > now or event.next_child_due is not None or _has_ahead(event, now)


def is_open(event: Event) -> bool:
    """Return whether the event, or the later occurrences of a series, were not completed."""
    status = event.status if event.rule_id is None else event.children_status
    return status != EventStatus.COMPLETED


def call_off(event: Event, reason: str, now: datetime) -> list[int]:
    """End the event and its occurrences ahead. Their unfinished alarms are cancelled.

    Return the ids of the events that were not completed before.
    """
    ended, told = [], []
    for one in _with_children(event, now):
        if one.status != EventStatus.COMPLETED:
            move(one, EventStatus.COMPLETED)
            ended.append(one.id)
            told.append(one)
        alarms.cancel(events.unfinished([one.id]), reason, now)
        invitations.call_off(one)
    if event.rule_id is not None:
        crud.change(event, {"children_status": EventStatus.COMPLETED})
        parents.edited([event.id], now)
    notices.cancelled(told, now)
    return ended


def bring_back(event: Event, ended: Collection[int], reason: str, now: datetime) -> None:
    """Take back `call_off`, which `ended` these events. What others cancelled stays cancelled."""
    for one in _with_children(event, now):
        if one.id in ended and one.end > now:
            rearm(one, reason, now)
            notices.withdraw(one, StepTrigger.CANCELLED, now)
    if event.rule_id is not None:
        crud.change(event, {"children_status": EventStatus.PENDING})
        parents.edited([event.id], now)


def rearm(
    event: Event, reason: str, now: datetime, but: Collection[int | None] = frozenset()
) -> None:
    """Open the event again, and its alarms that were cancelled for `reason`, `but` for these."""
    if event.status == EventStatus.COMPLETED:
        move(event, EventStatus.PENDING)
    cancelled = Alarm.select().where(
        Alarm.event == event.id,
        Alarm.deleted.is_null(),
        Alarm.status == AlarmStatus.CANCELLED,
        Alarm.status_reason == reason,
    )
    for alarm in list(cancelled):
        if alarm.id not in but and not alarms.is_over(alarm, event, now):
            move(alarm, AlarmStatus.PENDING, status_reason="")
            record(alarm.id, TimelineWord.REARMED, at=now)
            alarms.admit(alarm, event)


def drop_alarm(alarm: Alarm, event: Event, now: datetime) -> None:
    """Call off an alarm that its source has no more. A series loses it in all occurrences."""
    if event.rule_id is not None:
        alarms.delete([alarm], now)
    elif alarm.status in UNSETTLED:
        alarms.cancel([alarm], Reason.NOT_IN_FILE, now)


def _with_children(event: Event, now: datetime) -> Iterator[Event]:
    yield event
    yield from list(children.ahead(event.id, now))


def _has_ahead(event: Event, now: datetime) -> bool:
    return bool(children.ahead(event.id, now).exists())
