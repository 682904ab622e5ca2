"""How an attempt ends: the request, its alarm, what follows, and who is told. One write."""

from datetime import datetime

from telealarm.models import Alarm, AlarmRequest, CalendarUserProfile, CallRequest, Message
from telealarm.rules import placeholders, sms
from telealarm.rules.states import AlarmStatus, CallStatus, EventStatus, Method, Reason
from telealarm.store import requests
from telealarm.store.change import move
from telealarm.store.database import wake
from telealarm.store.timeline import tell
from telealarm.store.wording import values

FAILURE_TEXT = "{alarm_phonenumber} could not be reached in {num_attempt} attempt(s): {title}"
MISSED_TEXT = "{alarm_phonenumber} was not called in time: {title}"


def succeed(request: AlarmRequest, now: datetime, **ended: int) -> None:
    """The attempt counts; the alarm is a success. `ended`: callstatus and duration (seconds)."""
    move(request, AlarmStatus.SUCCESS, **ended)
    alarm = request.alarm
    move(alarm, AlarmStatus.SUCCESS, status_reason="")
    said = f"success, result {alarm.result}" if alarm.result else "success, no key pressed"
    if alarm.method != Method.CALL:
        said = "success, the message was taken"
    tell(alarm.id, "result", said, request_id=request.id, at=now)


def retry(request: AlarmRequest, reason: Reason, at: datetime, now: datetime, **ended: int) -> None:
    """The attempt failed and another follows `at`."""
    move(request, AlarmStatus.RETRY, status_reason=reason, **ended)
    alarm = request.alarm
    move(alarm, AlarmStatus.RETRY, status_reason=reason)
    following = requests.again(alarm, at, now)
    tell(
        alarm.id,
        "retry",
        f"{reason}; again at {at.isoformat(timespec='seconds')}",
        request_id=following.id,
        at=now,
    )


def fail(request: AlarmRequest, reason: Reason, now: datetime, **ended: int) -> None:
    """The last attempt failed, or none can help; whoever is to know is told."""
    move(request, AlarmStatus.FAILURE, status_reason=reason, **ended)
    alarm = request.alarm
    move(alarm, AlarmStatus.FAILURE, status_reason=reason)
    tell(alarm.id, "failure", reason, request_id=request.id, at=now)
    _inform(alarm, FAILURE_TEXT, now)


def withdraw(call: CallRequest, now: datetime) -> None:
    """Called off before anybody answered: for good, while its event is paused, or until later."""
    move(call, CallStatus.ABORT, settled=now)
    call_off(call.request, now)


def call_off(request: AlarmRequest, now: datetime) -> None:
    """The attempt reached nobody, and is not wanted any more, or not now."""
    alarm = request.alarm
    move(request, AlarmStatus.CANCELLED, status_reason="withdrawn")
    if alarm.status in (AlarmStatus.IN_PROCESS, AlarmStatus.RETRY):
        paused = alarm.event.status == EventStatus.PAUSED and not alarm.deleted
        ahead = alarm.due is not None and alarm.due > now
        move(alarm, AlarmStatus.PENDING if paused or ahead else AlarmStatus.CANCELLED)
    why = "nobody had answered" if alarm.method == Method.CALL else "nothing was sent"
    tell(alarm.id, "withdrawn", why, request_id=request.id, at=now)


def expire(request: AlarmRequest, now: datetime) -> None:
    """Nobody wants the waiting attempt any more: missed, or failed where others were made."""
    alarm = request.alarm
    if alarm.num_attempt:
        fail(request, Reason.LATE, now)
        return
    move(request, AlarmStatus.MISSED, status_reason=Reason.LATE)
    move(alarm, AlarmStatus.MISSED, status_reason=Reason.LATE)
    tell(alarm.id, "missed", Reason.LATE, request_id=request.id, at=now)
    if alarm.missed_policy != "skip":
        _inform(alarm, MISSED_TEXT, now)


def _inform(alarm: Alarm, default_text: str, now: datetime) -> None:
    """Put the SMS with the bad news into the outbox, where the alarm names a number for it."""
    recipient = alarm.phonenumber_sms_failure
    if not recipient or alarm.deleted or alarm.event.deleted:
        return
    profile = CalendarUserProfile.get_or_none(user=alarm.event.calendar.user_id)
    setting = profile.calendar_setting if profile else None
    gateway = setting.sms_gateway if setting else None
    if gateway is None:
        tell(
            alarm.id,
            "sms_not_sent",
            "the calendar setting names no sms_gateway; set one to have failures told",
            at=now,
        )
        return
    event = alarm.event
    template = (event.data or {}).get("sms_failure")
    text = placeholders.fill(
        template if isinstance(template, str) else default_text, values(alarm, event)
    )
    Message.create(
        owner=alarm.owner_id,
        alarm=alarm,
        gateway=gateway,
        purpose="failure",
        recipient=recipient,
        sender=str(gateway.settings.get("sender", "")),
        **sms.columns(text),
        date=now,
    )
    tell(alarm.id, "sms_queued", f"to {recipient}", at=now)
    wake("messages")
