"""How an attempt ends: the request, its alarm, what follows, and the notifications. One write.

`decide` reads what the decision of rules/outcome needs, for calls and messages alike. `settle`
carries the decision out.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from telealarm import i18n, methods
from telealarm.methods import sms
from telealarm.methods.base import Address
from telealarm.models import Alarm, AlarmRequest, Message
from telealarm.rules import outcome, placeholders, reminder_plan
from telealarm.rules.eligibility import Decision, Eligibility
from telealarm.rules.outcome import Failover, Failure, Retry, Snooze, Success
from telealarm.store import numbers
from telealarm.store.alarms import alarms, attempts, eligibility, same_moment
from telealarm.store.engine.database import wake
from telealarm.store.engine.timeline import Entry, record, record_all
from telealarm.store.engine.transition import move, move_all, put
from telealarm.store.messages import outbox
from telealarm.store.messages.template_values import values
from telealarm.store.outcome import escalation
from telealarm.store.webhooks import webhooks
from telealarm.words import (
    AlarmResult,
    AlarmStatus,
    Change,
    EventStatus,
    MessagePurpose,
    MessageStatus,
    Reason,
    TimelineWord,
)

# A call is withdrawn if the callee calls back. It is placed again after this time, unless the
# callee's call becomes a call of the alarm.
CALLED_BACK = timedelta(minutes=1)


def decide(alarm: Alarm, attempt: outcome.Attempt) -> outcome.Outcome:
    """Return what follows the attempt of `alarm`, which has just ended."""
    failed = attempt.reason is not None
    setting = eligibility.setting_of(alarm) if attempt.snooze else None
    policy = outcome.Policy(
        maxretry=alarm.maxretry,
        retry_delay_seconds=alarm.retry_delay,
        by_reason=alarm.retry_policy,
        redial_unknown=alarm.on_unknown != "miss",
        failures=attempts.failures(alarm.id) if failed else {},
        snooze_seconds=setting.snooze_minutes * 60 if setting else None,
        snoozes=_snoozes(alarm) if attempt.snooze else 0,
    )
    followed = failed or attempt.snooze
    terms = eligibility.of_another(alarm) if followed else None
    return outcome.decide(attempt, policy, terms)


def settle(request: AlarmRequest, decision: outcome.Outcome, now: datetime, **ended: int) -> None:
    """Carry the decision out. `ended`, of calls: callstatus and duration (seconds)."""
    match decision:
        case Success():
            succeed(request, now, **ended)
        case Snooze():
            _snooze(request, decision.at, now, **ended)
        case Failover():
            _fail_over(request, decision, now, **ended)
        case Retry():
            _retry(request, decision, now, **ended)
        case Failure():
            fail(request, decision.reason, now, why=decision.why, **ended)


def succeed(request: AlarmRequest, now: datetime, **ended: int) -> None:
    """Save that the attempt and its alarm succeeded. `ended`: callstatus and duration (seconds)."""
    succeed_all([(request, ended)], now)


def succeed_all(attempts: Sequence[tuple[AlarmRequest, Mapping[str, int]]], now: datetime) -> None:
    """Save that these attempts and their alarms succeeded. Each has what `succeed` gets."""
    requests = [request for request, _ in attempts]
    move_all(requests, AlarmStatus.SUCCESS, [ended for _, ended in attempts])
    ended_alarms = [request.alarm for request in requests]
    move_all(
        ended_alarms,
        AlarmStatus.SUCCESS,
        [{Alarm.status_reason.name: "", Alarm.called_off.name: None}] * len(requests),
    )
    record_all(
        Entry(request.alarm_id, TimelineWord.RESULT, _success(request.alarm), request.id, now)
        for request in requests
    )
    for request in requests:
        webhooks.tell(request.alarm, Change.ATTEMPT_ENDED, now, request)
    for alarm in same_moment.not_alone(ended_alarms):
        _end_others(alarm, now)


def _success(alarm: Alarm) -> str:
    if not methods.of(alarm.method).uses_channel:
        return "success, the message was taken"
    if alarm.result:
        return f"success, result {alarm.result}"
    return "success: answered, no key pressed"


def arrived(alarm: Alarm, now: datetime) -> None:
    """Save that a message of unknown fate has arrived. Attempts that still wait are called off.

    An attempt that already runs goes on.
    """
    if alarm.status not in (AlarmStatus.IN_PROCESS, AlarmStatus.RETRY):
        return
    alarms.call_off_waiting(alarm.id, Reason.ARRIVED)
    outbox.withdraw([alarm.id], now)
    in_outbox = Message.select(Message.request).where(
        Message.alarm == alarm.id,
        Message.request.is_null(False),
        Message.status == MessageStatus.PENDING,
    )
    running = AlarmRequest.select().where(
        AlarmRequest.alarm == alarm.id,
        AlarmRequest.status == AlarmStatus.IN_PROCESS,
        AlarmRequest.id.not_in(in_outbox),
    )
    if not running.exists():
        move(alarm, AlarmStatus.SUCCESS, status_reason="")
        _end_others(alarm, now)


def answered_late(alarm: Alarm, now: datetime) -> None:
    """Save that the alarm succeeded by an answer that was saved after the outcome of its call."""
    move(alarm, AlarmStatus.SUCCESS, status_reason="")
    _end_others(alarm, now)


def settle_others(alarm: Alarm, now: datetime) -> None:
    """Call off the other alarms of the event, because this alarm was answered with a key.

    The calendar setting can switch this off. Of the alarms that a reminder plan made, their step
    decides instead. A phone that rings is hung up. A call that was
    answered goes on, and keeps its own result. Alarms of the same moment end as this one does.
    """
    setting = eligibility.setting_of(alarm)
    if setting is None or not (setting.settle or _has_plan(alarm)):
        return
    others = Alarm.select().where(
        Alarm.event == alarm.event_id, Alarm.id != alarm.id, alarms.WANTED
    )
    waiting = {row.id for row in same_moment.waiting_for(alarm)}
    called_off = [
        row
        for row in others.order_by(Alarm.id)
        if row.id not in waiting and _is_settled(row, alarm.result, settle=setting.settle)
    ]
    alarms.cancel(called_off, Reason.SETTLED, now)


def _has_plan(alarm: Alarm) -> bool:
    event = alarm.event
    return bool(event.reminder_plan_id or event.calendar.reminder_plan_id)


def _is_settled(alarm: Alarm, result: int, *, settle: bool) -> bool:
    """Return whether the answer to another alarm of its event calls the alarm off."""
    if not alarm.trigger:
        return settle
    condition = alarm.only_if_unanswered
    return reminder_plan.is_settled(result, alarm.trigger, only_if_unanswered=condition)


def _snooze(request: AlarmRequest, at: datetime, now: datetime, **ended: int) -> None:
    """Save that the callee asked for another call `at`. The attempt is no failure."""
    move(request, AlarmStatus.SUCCESS, status_reason=Reason.SNOOZED, **ended)
    alarm = request.alarm
    move(alarm, AlarmStatus.RETRY, status_reason=Reason.SNOOZED)
    following = attempts.again(alarm, at, now)
    why = f"again at {at.isoformat(timespec='seconds')}"
    record(alarm.id, TimelineWord.SNOOZED, why, request_id=following.id, at=now)
    webhooks.tell(alarm, Change.ATTEMPT_ENDED, now, request)


def _snoozes(alarm: Alarm) -> int:
    """Return how often the alarm was snoozed already."""
    return (
        AlarmRequest.select()
        .where(AlarmRequest.alarm == alarm.id, AlarmRequest.status_reason == Reason.SNOOZED)
        .count()
    )


def _fail_over(request: AlarmRequest, decision: Failover, now: datetime, **ended: int) -> None:
    """Continue the attempt with a new request. It goes before requests that came due later."""
    move(request, AlarmStatus.RETRY, status_reason=Reason.FAILOVER, callstatus=ended["callstatus"])
    alarm, tried = request.alarm, decision.tried
    following = attempts.write(alarm, request.date, now, queue=request.queue, tried=tried)
    record(alarm.id, TimelineWord.FAILOVER, decision.why, request_id=following.id, at=now)
    wake("dialing")


def _retry(request: AlarmRequest, decision: Retry, now: datetime, **ended: int) -> None:
    """Save that the attempt failed, and write the next attempt."""
    alarm, reason, at = request.alarm, decision.reason, decision.at
    if reason == Reason.UNKNOWN:
        record(alarm.id, TimelineWord.REDIAL, "on_unknown is redial", request_id=request.id, at=now)
    move(request, AlarmStatus.RETRY, status_reason=reason, **ended)
    move(alarm, AlarmStatus.RETRY, status_reason=reason)
    following = attempts.again(alarm, at, now)
    why = f"{reason}; again at {at.isoformat(timespec='seconds')}"
    record(alarm.id, TimelineWord.RETRY, why, request_id=following.id, at=now)
    webhooks.tell(alarm, Change.ATTEMPT_ENDED, now, request)


def end(request: AlarmRequest, decision: Decision, now: datetime) -> None:
    """End a waiting attempt as failed or missed, as `decision` says."""
    reason = Reason(decision.reason)
    if decision.action is Eligibility.FAIL:
        fail(request, reason, now)
    else:
        miss(request, reason, now, decision.why)


def fail(request: AlarmRequest, reason: str, now: datetime, *, why: str = "", **ended: int) -> None:
    """Save that the alarm failed, and send the notifications. No attempt follows."""
    move(request, AlarmStatus.FAILURE, status_reason=reason, **ended)
    alarm = request.alarm
    move(alarm, AlarmStatus.FAILURE, status_reason=reason)
    text = f"{reason}: {why}" if why else reason
    record(alarm.id, TimelineWord.FAILURE, text, request_id=request.id, at=now)
    webhooks.tell(alarm, Change.ATTEMPT_ENDED, now, request)
    webhooks.tell(alarm, Change.FAILED, now, request)
    _inform(alarm, now)
    escalation.call(alarm, now)
    _end_others(alarm, now)


def call_off(request: AlarmRequest, why: str, now: datetime, **ended: int) -> None:
    """Save that the attempt was withdrawn: it is not wanted any more, or not now."""
    alarm = request.alarm
    move(request, AlarmStatus.CANCELLED, status_reason=Reason.WITHDRAWN, **ended)
    unwanted = alarm.called_off is not None or alarm.deleted is not None
    paused = alarm.event.status == EventStatus.PAUSED and not unwanted
    if alarm.status_reason == Reason.CALLED_BACK and not paused and not unwanted:
        # This attempt is made if the callee's own call ends before it becomes a call of the alarm.
        if alarm.status == AlarmStatus.IN_PROCESS:
            move(alarm, AlarmStatus.RETRY)
        put(alarm, status_reason="")
        attempts.again(alarm, now + CALLED_BACK, now)
    elif alarm.status_reason == Reason.ANSWERED:
        answered_late(alarm, now)
    elif alarm.status in (AlarmStatus.IN_PROCESS, AlarmStatus.RETRY):
        # If it has a due time, the alarm was moved, or its event was paused and resumed.
        wanted = not unwanted and (paused or alarm.due is not None)
        move(alarm, AlarmStatus.PENDING if wanted else AlarmStatus.CANCELLED, called_off=None)
        wake("planning")
    record(alarm.id, TimelineWord.WITHDRAWN, why, request_id=request.id, at=now)
    webhooks.tell(alarm, Change.ATTEMPT_ENDED, now, request)


def miss(request: AlarmRequest, reason: Reason, now: datetime, why: str = "") -> None:
    """End a waiting attempt as missed, or as failed if earlier attempts were made."""
    alarm = request.alarm
    if alarm.num_attempt:
        fail(request, reason, now, why=why)
        return
    move(request, AlarmStatus.MISSED, status_reason=reason)
    move(alarm, AlarmStatus.MISSED, status_reason=reason)
    text = f"{reason}: {why}" if why else reason
    record(alarm.id, TimelineWord.MISSED, text, request_id=request.id, at=now)
    webhooks.tell(alarm, Change.MISSED, now, request)
    if alarm.missed_policy != "skip":
        _inform(alarm, now, missed=True)
        escalation.call(alarm, now)
    _end_others(alarm, now)


# What an alarm of the same moment says at its end, in its timeline and to webhooks.
_ENDS = {
    AlarmStatus.SUCCESS: (TimelineWord.RESULT, None),
    AlarmStatus.FAILURE: (TimelineWord.FAILURE, Change.FAILED),
    AlarmStatus.MISSED: (TimelineWord.MISSED, Change.MISSED),
}


def _end_others(alarm: Alarm, now: datetime) -> None:
    """End the alarms of the same moment that waited for this one: as it has ended."""
    status = AlarmStatus(alarm.status)
    word, told = _ENDS[status]
    for other in same_moment.waiting_for(alarm):
        alarms.call_off_waiting(other.id, Reason.SAME_MOMENT)
        if other.status == AlarmStatus.PENDING:
            move(other, AlarmStatus.IN_PROCESS)
        move(other, status, status_reason=Reason.SAME_MOMENT, result=alarm.result)
        record(other.id, word, f"as alarm {alarm.id}, of the same moment", at=now)
        if other.result:
            webhooks.tell(other, Change.RESULT, now)
        if told is not None:
            webhooks.tell(other, told, now)
        if told and other.phonenumber_sms_failure != alarm.phonenumber_sms_failure:
            _inform(other, now, missed=status == AlarmStatus.MISSED)


def answered_for_others(alarm: Alarm, now: datetime) -> None:
    """Give the alarm's result to the alarms of the same moment that ended as it did."""
    for other in same_moment.ended_as(alarm):
        if other.result == AlarmResult.NONE:
            put(other, result=alarm.result)
            webhooks.tell(other, Change.RESULT, now)


def _inform(alarm: Alarm, now: datetime, *, missed: bool = False) -> None:
    """Put the SMS about the failure into the outbox, if the alarm names a number for it."""
    recipient = numbers.of_alarm(alarm, "phonenumber_sms_failure").outgoing
    if not recipient or alarm.is_gone:
        return
    gateway = eligibility.sms_gateway_of(alarm)
    if gateway is None:
        record(
            alarm.id,
            sms.TimelineWord.NOT_SENT,
            "the calendar setting names no sms_gateway; set one to have failures told",
            at=now,
        )
        return
    event = alarm.event
    template = (event.data or {}).get("sms_failure")
    language = eligibility.language_of(alarm)
    placeholder_values = values(alarm, event, now, language=language)
    if methods.of(alarm.method).address is not Address.PHONE:
        placeholder_values["alarm_phonenumber"] = alarm.recipient
    default = _failure_text(alarm, language, missed=missed)
    text = placeholders.fill(template if isinstance(template, str) else default, placeholder_values)
    outbox.queue_sms(alarm, gateway, recipient, text, now, purpose=MessagePurpose.FAILURE)


def _failure_text(alarm: Alarm, language: str, *, missed: bool) -> str:
    """Return the default text of the SMS about a failure."""
    if missed:
        return methods.of(alarm.method).missed_text(language)
    return i18n.of(language).written.failure.failed
