"""Answers that come by SMS or by a link: a result as a key sets it, which settles the event."""

from datetime import datetime
from enum import StrEnum

from telealarm.models import Alarm, Event
from telealarm.rules.webhook_retry import Change
from telealarm.store.engine.timeline import record
from telealarm.store.engine.transition import put
from telealarm.store.outcome import apply
from telealarm.store.webhooks import webhooks
from telealarm.words import AlarmResult, AlarmStatus


class Answered(StrEnum):
    """What became of an answer."""

    TAKEN = "taken"
    BEFORE = "answered_before"  # the first answer stays
    CLOSED = "closed"  # the alarm was called off, or its event is over


def answer(alarm: Alarm, result: int, how: str, now: datetime) -> Answered:
    """Set the alarm's result, as a key would; what still waits to be attempted is called off."""
    event = alarm.event
    if alarm.result != AlarmResult.NONE:
        return Answered.BEFORE
    if not is_open(alarm, event, now):
        return Answered.CLOSED
    put(alarm, result=result)
    record(alarm.id, "answer", f"{result} {how}", at=now)
    if alarm.status == AlarmStatus.RETRY:
        apply.arrived(alarm, now)
    webhooks.tell(alarm, Change.RESULT, now)
    apply.settle_others(alarm, now)
    return Answered.TAKEN


def is_open(alarm: Alarm, event: Event, now: datetime) -> bool:
    """Whether an answer to the alarm still counts."""
    closed = (AlarmStatus.CANCELLED, AlarmStatus.MISSED)
    gone = alarm.deleted or event.deleted or alarm.status in closed
    return not gone and event.end > now
