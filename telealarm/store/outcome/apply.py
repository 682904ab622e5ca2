"""How an attempt ends: the request, its alarm, what follows, and who is told. One write."""

from datetime import datetime, timedelta

from telealarm import i18n
from telealarm.models import Alarm, AlarmRequest, CallRequest, Message
from telealarm.rules import placeholders
from telealarm.rules.eligibility import Decision, Verdict
from telealarm.rules.webhook_retry import Change
from telealarm.store.alarms import alarms, attempts, eligibility
from telealarm.store.engine.database import wake
from telealarm.store.engine.timeline import record
from telealarm.store.engine.transition import move, put
from telealarm.store.messages import outbox
from telealarm.store.messages.template_values import values
from telealarm.store.outcome import escalation
from telealarm.store.webhooks import webhooks
from telealarm.words import (
    UNSETTLED,
    AlarmStatus,
    CallStatus,
    EventStatus,
    MessageStatus,
    Method,
    Reason,
)

# How long whoever rings back has to take the call that was taken back for them.
CALLED_BACK = timedelta(minutes=1)


def succeed(request: AlarmRequest, now: datetime, **ended: int) -> None:
    """The attempt counts; the alarm is a success. `ended`: callstatus and duration (seconds)."""
    move(request, AlarmStatus.SUCCESS, **ended)
    alarm = request.alarm
    move(alarm, AlarmStatus.SUCCESS, status_reason="")
    said = f"success, result {alarm.result}" if alarm.result else "success, no key pressed"
    if alarm.method != Method.CALL:
        said = "success, the message was taken"
    record(alarm.id, "result", said, request_id=request.id, at=now)
    webhooks.tell(alarm, Change.ATTEMPT_ENDED, now, request)


def arrived(alarm: Alarm, now: datetime) -> None:
    """What was of unknown fate has reached its recipient: what waits to be sent again is not
    wanted. An attempt that is being made goes on.
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
    being_made = AlarmRequest.select().where(
        AlarmRequest.alarm == alarm.id,
        AlarmRequest.status == AlarmStatus.IN_PROCESS,
        AlarmRequest.id.not_in(in_outbox),
    )
    if not being_made.exists():
        move(alarm, AlarmStatus.SUCCESS, status_reason="")


def settle_others(alarm: Alarm, now: datetime) -> None:
    """The alarm was answered with a key: nobody else need be asked about its event.

    Its other alarms are called off, unless the calendar setting says otherwise. A phone that
    rings is hung up; a call that was answered goes on, and keeps its own result.
    """
    setting = eligibility.setting_of(alarm)
    if setting is None or not setting.settle:
        return
    others = Alarm.select().where(
        Alarm.event == alarm.event_id,
        Alarm.id != alarm.id,
        Alarm.status.in_(UNSETTLED),
        Alarm.deleted.is_null(),
    )
    alarms.cancel(list(others.order_by(Alarm.id)), Reason.SETTLED, now)


def snooze(request: AlarmRequest, at: datetime, now: datetime, **ended: int) -> None:
    """The callee asked for another call `at`; the attempt was no failure."""
    move(request, AlarmStatus.SUCCESS, status_reason=Reason.SNOOZED, **ended)
    alarm = request.alarm
    move(alarm, AlarmStatus.RETRY, status_reason=Reason.SNOOZED)
    following = attempts.again(alarm, at, now)
    why = f"again at {at.isoformat(timespec='seconds')}"
    record(alarm.id, "snoozed", why, request_id=following.id, at=now)
    webhooks.tell(alarm, Change.ATTEMPT_ENDED, now, request)


def snoozes(alarm: Alarm) -> int:
    """How often it was snoozed already."""
    return (
        AlarmRequest.select()
        .where(AlarmRequest.alarm == alarm.id, AlarmRequest.status_reason == Reason.SNOOZED)
        .count()
    )


def retry(request: AlarmRequest, reason: Reason, at: datetime, now: datetime, **ended: int) -> None:
    """The attempt failed and another follows `at`."""
    move(request, AlarmStatus.RETRY, status_reason=reason, **ended)
    alarm = request.alarm
    move(alarm, AlarmStatus.RETRY, status_reason=reason)
    following = attempts.again(alarm, at, now)
    record(
        alarm.id,
        "retry",
        f"{reason}; again at {at.isoformat(timespec='seconds')}",
        request_id=following.id,
        at=now,
    )
    webhooks.tell(alarm, Change.ATTEMPT_ENDED, now, request)


def end(request: AlarmRequest, decision: Decision, now: datetime) -> None:
    """The waiting attempt is not made: a decision to fail or to miss it."""
    reason = Reason(decision.reason)
    if decision.action is Verdict.FAIL:
        fail(request, reason, now)
    else:
        miss(request, reason, now, decision.why)


def fail(
    request: AlarmRequest, reason: Reason, now: datetime, *, why: str = "", **ended: int
) -> None:
    """The last attempt failed, or none can help; whoever is to know is told."""
    move(request, AlarmStatus.FAILURE, status_reason=reason, **ended)
    alarm = request.alarm
    move(alarm, AlarmStatus.FAILURE, status_reason=reason)
    said = f"{reason}: {why}" if why else reason
    record(alarm.id, "failure", said, request_id=request.id, at=now)
    webhooks.tell(alarm, Change.ATTEMPT_ENDED, now, request)
    webhooks.tell(alarm, Change.FAILED, now, request)
    _inform(alarm, now)
    escalation.call(alarm, now)


def withdraw(call: CallRequest, now: datetime, **ended: int) -> None:
    """Called off before it came to an answer: for good, while its event is paused, or until later.

    A call that was answered ends so where it failed: no other follows it.
    """
    move(call, CallStatus.ABORT, settled=now)
    why = "there was no result" if call.answered else "nobody had answered"
    call_off(call.request, why, now, **ended)


def call_off(request: AlarmRequest, why: str, now: datetime, **ended: int) -> None:
    """The attempt is not wanted any more, or not now, and came to nothing."""
    alarm = request.alarm
    move(request, AlarmStatus.CANCELLED, status_reason="withdrawn", **ended)
    paused = alarm.event.status == EventStatus.PAUSED and not alarm.deleted
    if alarm.status_reason == Reason.CALLED_BACK and not paused and not alarm.deleted:
        # Should the callee's own call break off before it is one of the alarm's, this goes out.
        if alarm.status == AlarmStatus.IN_PROCESS:
            move(alarm, AlarmStatus.RETRY)
        put(alarm, status_reason="")
        attempts.again(alarm, now + CALLED_BACK, now)
    elif alarm.status in (AlarmStatus.IN_PROCESS, AlarmStatus.RETRY):
        # With a due time it was moved, or its event was paused and goes on already.
        wanted = paused or alarm.due is not None
        move(alarm, AlarmStatus.PENDING if wanted else AlarmStatus.CANCELLED)
        wake("planning")
    record(alarm.id, "withdrawn", why, request_id=request.id, at=now)
    webhooks.tell(alarm, Change.ATTEMPT_ENDED, now, request)


def miss(request: AlarmRequest, reason: Reason, now: datetime, why: str = "") -> None:
    """The waiting attempt is not made any more: missed, or failed where others were made."""
    alarm = request.alarm
    if alarm.num_attempt:
        fail(request, reason, now, why=why)
        return
    move(request, AlarmStatus.MISSED, status_reason=reason)
    move(alarm, AlarmStatus.MISSED, status_reason=reason)
    record(alarm.id, "missed", f"{reason}: {why}" if why else reason, request_id=request.id, at=now)
    webhooks.tell(alarm, Change.MISSED, now, request)
    if alarm.missed_policy != "skip":
        _inform(alarm, now, missed=True)
        escalation.call(alarm, now)


def _inform(alarm: Alarm, now: datetime, *, missed: bool = False) -> None:
    """Put the SMS with the bad news into the outbox, where the alarm names a number for it."""
    recipient = alarm.phonenumber_sms_failure
    if not recipient or alarm.deleted or alarm.event.deleted:
        return
    gateway = eligibility.sms_gateway_of(alarm)
    if gateway is None:
        record(
            alarm.id,
            "sms_not_sent",
            "the calendar setting names no sms_gateway; set one to have failures told",
            at=now,
        )
        return
    event = alarm.event
    template = (event.data or {}).get("sms_failure")
    language = eligibility.language_of(alarm)
    said = values(alarm, event, now, language=language)
    if alarm.method == Method.EMAIL:
        said["alarm_phonenumber"] = alarm.alarm_email
    default = _failure_text(alarm, language, missed=missed)
    text = placeholders.fill(template if isinstance(template, str) else default, said)
    outbox.queue_sms(alarm, gateway, recipient, text, now, purpose="failure")


def _failure_text(alarm: Alarm, language: str, *, missed: bool) -> str:
    """The bad news of an alarm whose event has no words for it."""
    texts = i18n.of(language).written.failure
    if not missed:
        return texts.failed
    by_method: dict[int, str] = {
        Method.CALL: texts.call_missed,
        Method.SMS: texts.sms_missed,
        Method.EMAIL: texts.mail_missed,
    }
    return by_method[alarm.method]
