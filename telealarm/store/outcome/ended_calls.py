"""Calls that have ended: those that wait for their outcome, and what becomes of each."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from telealarm.models import Alarm, AlarmRequest, CallRequest, Section, SurveyResult
from telealarm.rules import outcome
from telealarm.rules.outcome import Attempt, CallEnd, Failover, Failure, Retry, Snooze, Success
from telealarm.store.engine import read_cache
from telealarm.store.engine.prepared import Given, Prepared
from telealarm.store.engine.timeline import record
from telealarm.store.engine.together import together
from telealarm.store.engine.transition import move, move_all
from telealarm.store.outcome import apply, call_rows, failover
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


def unsettled(limit: int, aside: Collection[int]) -> list[int]:
    """Return the ids of ended calls that wait for their outcome, without those in `aside`."""
    waiting = [call_id for (call_id,) in _UNSETTLED.tuples(limit=limit + len(aside))]
    return [call_id for call_id in waiting if call_id not in aside][:limit]


_UNSETTLED = Prepared(
    CallRequest,
    lambda: (
        CallRequest.select(CallRequest.id)
        .where(CallRequest.settled.is_null(), CallRequest.ended.is_null(False))
        .order_by(CallRequest.ended)
        .limit(Given("limit", CallRequest.id))
    ),
)


@together
def settle(steps: Sequence[tuple[int, datetime]]) -> Sequence[Settled | None]:
    """Give the alarm requests of ended calls, and their alarms, an end or another attempt.

    1. If a call was called off and failed, its request is called off. This is no failure.
    2. If the callee rang back about a settled alarm and gave no answer, nothing changes.
    3. In all other cases rules/outcome decides what follows.

    None: there is nothing to count, or another worker has settled the call.
    """
    now = max(at for _, at in steps)
    with read_cache.remembering():
        calls = call_rows.whole([call_id for call_id, _ in steps])
        succeeded: list[tuple[CallRequest, dict[str, int]]] = []
        results = [_settle(calls.get(call_id), succeeded, now) for call_id, _ in steps]
        move_all(
            [call for call, _ in succeeded],
            CallStatus.SUCCESS,
            [{"settled": now}] * len(succeeded),
        )
        apply.succeed_all([(call.request, ended) for call, ended in succeeded], now)
    return results


def _settle(
    call: CallRequest | None,
    succeeded: list[tuple[CallRequest, dict[str, int]]],
    now: datetime,
) -> Settled | None:
    """Settle one call. If it is a success, add it to those that are written together."""
    if call is None or call.ended is None or call.settled is not None:
        return None
    request, alarm = call.request, call.alarm
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
    if isinstance(decision, Success):
        succeeded.append((call, ended))
    else:
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
        has_key=call_rows.was_keyed(call),
        heard_first_prompt=call.heard,
        finished=call.finished,
        hung_up=call.hung_up,
        unknown=not call.disposition,
        completed=call.completed,
        for_machines=call.amd_behavior == AmdBehavior.VOICEMAIL_ONLY,
    )


def has_key(call_id: int) -> bool:
    """Return whether the callee pressed a key that counts, or talked with an agent."""
    return bool(_KEYED.tuples(call=call_id))


def _keyed() -> Any:
    of_call = SurveyResult.call == Given("call", SurveyResult.call)
    results = SurveyResult.select(SurveyResult.id).join(Section)
    return results.where(of_call, call_rows.keys_that_count()).limit(1)


_KEYED = Prepared(SurveyResult, _keyed)


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
