"""Answers by SMS or by a link. They set the alarm's result as a key does, and settle the event."""

from datetime import datetime

from telealarm.models import Alarm, Event
from telealarm.store.alarms import alarms
from telealarm.store.engine import dialect
from telealarm.store.engine.timeline import record
from telealarm.store.engine.transition import put
from telealarm.store.outcome import apply, sources
from telealarm.store.webhooks import webhooks
from telealarm.words import AlarmResult, AlarmStatus, Change, ReplyOutcome, TimelineWord


def answer(alarm: Alarm, result: int, how: str, now: datetime) -> ReplyOutcome:
    """Set the alarm's result as a key does, and call off waiting attempts. Return how it went."""
    event = alarm.event
    # Another worker may have set it since the row was read: an SMS and a link at the same time.
    query = Alarm.select(Alarm.result).where(Alarm.id == alarm.id)
    if dialect.lock_rows(query, "FOR NO KEY UPDATE").get().result != AlarmResult.NONE:
        return ReplyOutcome.BEFORE
    if not is_open(alarm, event, now):
        return ReplyOutcome.CLOSED
    put(alarm, result=result)
    record(alarm.id, TimelineWord.ANSWER, f"{result} {how}", at=now)
    if alarm.status == AlarmStatus.RETRY:
        apply.arrived(alarm, now)
    webhooks.tell(alarm, Change.RESULT, now)
    sources.answered([alarm], now)
    apply.answered_for_others(alarm, now)
    apply.settle_others(alarm, now)
    return ReplyOutcome.TAKEN


def is_open(alarm: Alarm, event: Event, now: datetime) -> bool:
    """Return whether an answer to the alarm still counts."""
    closed = alarm.status == AlarmStatus.MISSED or alarms.is_called_off(alarm)
    gone = alarm.deleted or event.deleted or closed
    return not gone and event.end > now
