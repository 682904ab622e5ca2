"""Calls that have ended: those that wait for their outcome, and what becomes of each."""

from dataclasses import dataclass
from datetime import datetime

from telealarm import sections
from telealarm.models import Alarm, AlarmRequest, CallRequest, Section, SurveyResult
from telealarm.rules import outcome
from telealarm.rules.outcome import Attempt, CallEnd, Failover, Failure, Retry, Snooze, Success
from telealarm.store.alarms import alarms
from telealarm.store.engine.timeline import record
from telealarm.store.engine.transition import move
from telealarm.store.outcome import apply, failover
from telealarm.store.webhooks import webhooks
from telealarm.words import (
    AlarmStatus,
    AmdBehavior,
    CallStatus,
    Change,
    Disposition,
    Reason,
    TimelineWord,
)

_STATUS: dict[type[outcome.Outcome], CallStatus] = {
    Success: CallStatus.SUCCESS,
    Snooze: CallStatus.SUCCESS,
    Failover: CallStatus.RETRY,
    Retry: CallStatus.RETRY,
    Failure: CallStatus.FAILURE,
}
_SETTLED = (AlarmStatus.SUCCESS, AlarmStatus.FAILURE, AlarmStatus.MISSED)


@dataclass(frozen=True)
class Settled:
    """The outcome of an ended call: `label` for the metrics, `text` for the log."""

    alarm_id: int
    request_id: int
    label: str
    text: str


def unsettled(limit: int, aside: list[int]) -> list[int]:
    """Return the ids of ended calls that wait for their outcome, without those in `aside`."""
    rows = (
        CallRequest.select(CallRequest.id)
        .where(
            CallRequest.settled.is_null(),
            CallRequest.ended.is_null(False),
            CallRequest.id.not_in(aside),
        )
        .order_by(CallRequest.ended)
        .limit(limit)
    )
    return [row.id for row in rows]


def settle(call_id: int, now: datetime) -> Settled | None:
    """Give the alarm request of an ended call, and its alarm, an end or another attempt.

    1. If the call was called off and failed, its request is called off. This is no failure.
    2. If the callee rang back about a settled alarm and gave no answer, nothing changes.
    3. In all other cases rules/outcome decides what follows.

    Return None if there is nothing to count, or if another worker has settled the call.
    """
    call = CallRequest.get_or_none(CallRequest.id == call_id, CallRequest.settled.is_null())
    if call is None or call.ended is None:
        return None
    request, alarm = call.request, alarms.locked(call.alarm_id)
    request.alarm = call.alarm = alarm
    reason = outcome.failure(_end_of(call), require_result=alarm.require_result)
    answered_seconds = round((call.ended - call.answered).total_seconds()) if call.answered else 0
    # The clock may have been set back during the call.
    ended = {"callstatus": call.hangup_cause, "duration": max(0, answered_seconds)}
    if (call.withdrawn or alarm.called_off) and reason is not None:
        withdraw(call, now, **ended)
        return None
    if call.inbound and reason and _leave_as_it_was(call, reason, now, **ended):
        text = f"{reason}; the alarm is as it was before the callee rang back"
        return Settled(alarm.id, request.id, Failure.label, text)
    attempt = Attempt(
        ended=call.ended,
        reason=reason,
        snooze=_asks_for_snooze(call),
        failover=failover.next_gateway(call),
        counts=not call.inbound,
    )
    decision = apply.decide(alarm, attempt)
    move(call, _STATUS[type(decision)], settled=now)
    apply.settle(request, decision, now, **ended)
    return Settled(alarm.id, request.id, decision.label, _text(decision, reason, alarm))


def withdraw(call: CallRequest, now: datetime, **ended: int) -> None:
    """Call off the request of a call that was called off before it had a result.

    It is called off for good, while its event is paused, or until later. If the call was answered
    and failed, no other attempt follows.
    """
    move(call, CallStatus.ABORT, settled=now)
    why = "there was no result" if call.answered else "nobody had answered"
    apply.call_off(call.request, why, now, **ended)


def _end_of(call: CallRequest) -> CallEnd:
    return CallEnd(
        disposition=Disposition(call.disposition or Disposition.FAILED),
        cause=call.hangup_cause,
        has_key=has_key(call.id),
        heard_first_prompt=call.heard,
        finished=call.finished,
        hung_up=call.hung_up,
        unknown=not call.disposition,
        completed=call.completed,
        for_machines=call.amd_behavior == AmdBehavior.VOICEMAIL_ONLY,
    )


def has_key(call_id: int) -> bool:
    """Return whether the callee pressed a key that counts, or talked with an agent."""
    counts = Section.type.in_(sections.asking())
    for number, responses in sections.counting().items():
        counts |= (Section.type == number) & SurveyResult.response.in_(responses)
    return SurveyResult.select().join(Section).where(SurveyResult.call == call_id, counts).exists()


def _asks_for_snooze(call: CallRequest) -> bool:
    """Return whether the callee asked for another call. An alarm with a result needs none."""
    key = call.alarm.snooze_key
    unwanted = call.withdrawn or call.alarm.called_off
    return bool(key) and call.result == key and not call.alarm.result and not unwanted


def _leave_as_it_was(call: CallRequest, reason: str, now: datetime, **ended: int) -> bool:
    """Keep a settled alarm as it was, if the callee rang back and hung up without an answer.

    No notification of the outcome is sent again. Return False if the alarm was not settled.
    """
    request, alarm = call.request, call.alarm
    rang_back = CallRequest.select(CallRequest.request).where(
        CallRequest.alarm == alarm.id,
        CallRequest.inbound == True,  # noqa: E712 - SQL
    )
    before = (
        AlarmRequest.select()
        .where(AlarmRequest.alarm == alarm.id, AlarmRequest.id.not_in(rang_back))
        .order_by(AlarmRequest.id.desc())
        .get_or_none()
    )
    if before is None or before.status not in _SETTLED or before.status_reason == Reason.SNOOZED:
        return False
    move(call, CallStatus.FAILURE, settled=now)
    move(request, AlarmStatus.FAILURE, status_reason=reason, **ended)
    move(alarm, before.status, status_reason=before.status_reason)
    record(
        alarm.id,
        TimelineWord.UNCHANGED,
        f"{reason}; the alarm is as before",
        request_id=request.id,
        at=now,
    )
    webhooks.tell(alarm, Change.ATTEMPT_ENDED, now, request)
    return True


def _text(decision: outcome.Outcome, reason: str | None, alarm: Alarm) -> str:
    match decision:
        case Success():
            return f"success, result {alarm.result}"
        case Snooze(at):
            return f"snoozed until {at.isoformat()}"
        case Failover():
            return f"{reason}; at once by another gateway"
        case Retry(_, at):
            return f"{reason}; again at {at.isoformat()}"
        case Failure():
            return f"{reason}; no retry"
