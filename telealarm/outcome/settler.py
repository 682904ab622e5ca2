"""Settling: each call that has ended gives its alarm request, and its alarm, an end or a retry."""

import asyncio
import logging
from datetime import datetime, timedelta

from telealarm import metrics
from telealarm.clock import monotonic, utcnow
from telealarm.errors import Stale, StorageError
from telealarm.log import by_ids
from telealarm.models import CallRequest
from telealarm.rules import outcome
from telealarm.rules.eligibility import Verdict
from telealarm.store.alarms import attempts, eligibility
from telealarm.store.dialing import call_back, calls, failover
from telealarm.store.engine.database import Database
from telealarm.store.engine.loop import run_stage
from telealarm.store.engine.timeline import record
from telealarm.store.engine.transition import move
from telealarm.store.outcome import apply
from telealarm.words import AmdBehavior, CallStatus, Disposition, Reason

log = logging.getLogger(__name__)

CROWD = 200
# How often an alarm may be snoozed.
SNOOZES = 5
# A call that cannot be settled is left alone for so long (seconds), so that others are.
ASIDE_SECONDS = 60.0


class Settler:
    """Settles calls that have ended."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._aside: dict[int, float] = {}

    async def run(self) -> None:
        """Settle for ever."""
        await run_stage(self._db, "outcome", self.step, log)

    async def step(self) -> datetime | None:
        """Settle what has ended; returns now where there may be more."""
        now = utcnow()
        self._aside = {row: until for row, until in self._aside.items() if until > monotonic()}
        ended = await self._db.read(calls.unsettled, CROWD, list(self._aside))
        await asyncio.gather(*(self._settle(call_id, now) for call_id in ended))
        return now if len(ended) == CROWD else None

    async def _settle(self, call_id: int, now: datetime) -> None:
        try:
            await self._db.write(_settle, call_id, now)
        except Stale:
            log.debug("call %d was settled by another meanwhile", call_id)
        except StorageError as error:
            log.error("call %d is settled later: %s", call_id, error)
        except Exception:
            log.exception("call %d cannot be settled; it is tried again later", call_id)
            self._aside[call_id] = monotonic() + ASIDE_SECONDS


def _settle(call_id: int, now: datetime) -> None:
    call = calls.still_unsettled(call_id)
    if call is None or call.ended is None:
        return
    request, alarm = call.request, call.alarm
    reason = outcome.failure(
        outcome.Attempt(
            disposition=Disposition(call.disposition or Disposition.FAILED),
            cause=call.hangup_cause,
            has_key=calls.has_key(call.id),
            heard_first_prompt=call.heard,
            finished=call.finished,
            unknown=not call.disposition,
            completed=call.completed,
            for_machines=call.amd_behavior == AmdBehavior.VOICEMAIL_ONLY,
        ),
        require_result=alarm.require_result,
    )
    answered_seconds = round((call.ended - call.answered).total_seconds()) if call.answered else 0
    # The clock may have been put back meanwhile.
    ended = {"callstatus": call.hangup_cause, "duration": max(0, answered_seconds)}
    if call.withdrawn and reason is not None:
        apply.withdraw(call, now, **ended)
        return
    ids = by_ids(log, alarm=alarm.id, request=request.id)
    if call.inbound and reason and call_back.leave_as_it_was(call, reason, now, **ended):
        metrics.ATTEMPTS_SETTLED.labels("failure").inc()
        ids.info("%s; the alarm is as it was before the callee rang back", reason)
        return
    snoozed_until = _snoozed_until(call) if reason is None else None
    if snoozed_until is not None:
        metrics.ATTEMPTS_SETTLED.labels("snoozed").inc()
        move(call, CallStatus.SUCCESS, settled=now)
        apply.snooze(request, snoozed_until, now, **ended)
        ids.info("snoozed until %s", snoozed_until.isoformat())
        return
    if reason is None:
        metrics.ATTEMPTS_SETTLED.labels("success").inc()
        move(call, CallStatus.SUCCESS, settled=now)
        apply.succeed(request, now, **ended)
        ids.info("success, result %d", alarm.result)
        return
    if failover.go_on(call, now):
        metrics.ATTEMPTS_SETTLED.labels("failover").inc()
        move(call, CallStatus.RETRY, settled=now)
        ids.info("%s; at once by another gateway", reason)
        return
    failures = attempts.failures(alarm.id)
    if not call.inbound:  # nobody's retries are used up by who rings and hangs up
        failures[reason] = failures.get(reason, 0) + 1
    again = outcome.retry_at(
        reason,
        ended=call.ended,
        failures=failures,
        maxretry=alarm.maxretry,
        retry_delay_seconds=alarm.retry_delay,
        policy=alarm.retry_policy,
    )
    if call.disposition == "" and alarm.on_unknown == "miss":
        again = None
    if alarm.deleted or alarm.event.deleted:
        again = None
    too_late = ""
    if again is not None:
        decision = eligibility.decide(alarm, again)
        if decision.action not in (Verdict.GO, Verdict.WAIT):
            too_late = f"no retry at {again.isoformat(timespec='seconds')}, {decision.reason}"
            again = None
    ids.info("%s; %s", reason, f"again at {again.isoformat()}" if again else "no retry")
    metrics.ATTEMPTS_SETTLED.labels("retry" if again else "failure").inc()
    if again is None:
        move(call, CallStatus.FAILURE, settled=now)
        apply.fail(request, reason, now, why=too_late, **ended)
    else:
        move(call, CallStatus.RETRY, settled=now)
        if reason == Reason.UNKNOWN:
            record(alarm.id, "redial", "on_unknown is redial", request_id=request.id, at=now)
        apply.retry(request, reason, again, now, **ended)


def _snoozed_until(call: CallRequest) -> datetime | None:
    """When to call again, where that was asked for by a key, and may be done; else None."""
    alarm = call.alarm
    if not alarm.snooze_key or call.result != alarm.snooze_key or alarm.result:
        return None
    setting = eligibility.setting_of(alarm)
    if setting is None or call.ended is None or apply.snoozes(alarm) >= SNOOZES:
        return None
    if call.withdrawn or alarm.deleted or alarm.event.deleted:
        return None
    at = call.ended + timedelta(minutes=setting.snooze_minutes)
    decision = eligibility.decide(alarm, at)
    return at if decision.action in (Verdict.GO, Verdict.WAIT) else None
