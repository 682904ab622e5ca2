"""Answers that were saved after the outcome of their call, because the database was away.

The answer wins: nobody who has answered is called again.
"""

from datetime import datetime

from telealarm.models import Alarm, AlarmRequest, CallRequest
from telealarm.store.alarms import alarms
from telealarm.store.engine.timeline import record
from telealarm.store.outcome import apply, ended_calls
from telealarm.words import AlarmStatus, TimelineWord


def settle(call: CallRequest, now: datetime) -> None:
    """Let the alarm of a settled call succeed, if the callee gave an answer that counts.

    Waiting attempts are called off, and a phone that rings is hung up. An attempt that was answered
    goes on.
    """
    alarm = Alarm.get_by_id(call.alarm_id)
    if not ended_calls.has_key(call.id) or call.result == alarm.snooze_key != "":
        return
    if alarm.status in (AlarmStatus.IN_PROCESS, AlarmStatus.RETRY):
        alarms.answered(alarm.id, now)
        running = AlarmRequest.select().where(
            AlarmRequest.alarm == alarm.id, AlarmRequest.status == AlarmStatus.IN_PROCESS
        )
        if running.exists():
            return
        alarm = Alarm.get_by_id(alarm.id)
    elif alarm.status != AlarmStatus.FAILURE:
        return
    apply.answered_late(alarm, now)
    why = "the answer was saved after the outcome of its call, and counts"
    record(alarm.id, TimelineWord.RESULT, why, request_id=call.request_id, at=now)
