"""What happens to calls that were placed, written as it happens. Many are written at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from peewee import Case, fn

from telealarm.models import CallRequest
from telealarm.rules import disposition as dispositions
from telealarm.store.dialing import concurrency
from telealarm.store.dialing.calls import Call, held
from telealarm.store.engine.database import wake
from telealarm.store.engine.prepared import Prepared, given_rows
from telealarm.store.engine.timeline import Entry, record, record_all
from telealarm.store.engine.together import together
from telealarm.store.engine.transition import move, put
from telealarm.words import AmdStatus, CallStatus, Disposition, TimelineWord

# What a worker knows of a call that it holds.
HELD_BY = (CallRequest.id, CallRequest.worker, CallRequest.fence)


def held_among(steps: Any) -> Any:
    """Return the condition that a call is among the given ones, and held by the same worker."""
    same = (CallRequest.id == steps.c.id) & (CallRequest.worker == steps.c.worker)
    return same & (CallRequest.fence == steps.c.fence)


def change(
    update: Prepared[CallRequest], placed: Sequence[Call], values: Sequence[tuple[Any, ...]] = ()
) -> dict[int, CallRequest]:
    """Make an update of calls that this worker holds, each with its own `values`.

    Return those that were changed, by their ids. Raises Fenced if another worker has taken over one
    of the others.
    """
    steps = [
        (call.id, call.worker, call.fence, *(values[index] if values else ()))
        for index, call in enumerate(placed)
    ]
    changed = {row.id: row for row in update.rows(steps=steps)}
    for call in placed:
        if call.id not in changed:
            held(call)
    return changed


def _set_rang() -> Any:
    steps = given_rows("steps", *HELD_BY)
    update = CallRequest.update(rang=True).from_(steps).with_cte(steps)
    new = CallRequest.rang == False  # noqa: E712 - SQL
    return update.where(held_among(steps), new).returning(CallRequest.id)


def _set_answered() -> Any:
    steps = given_rows("steps", *HELD_BY, CallRequest.answered)
    update = CallRequest.update(answered=steps.c.answered).from_(steps).with_cte(steps)
    return update.where(held_among(steps), CallRequest.answered.is_null()).returning(CallRequest.id)


def _set_ended() -> Any:
    columns = (
        *(CallRequest.disposition, CallRequest.hangup_cause, CallRequest.answered),
        *(CallRequest.ended, CallRequest.finished, CallRequest.hung_up, CallRequest.refused),
    )
    steps = given_rows("steps", *HELD_BY, *columns)
    step = steps.c
    answer = step.disposition == Disposition.ANSWER
    by_machine = answer & (CallRequest.amd_status == AmdStatus.MACHINE)
    update = CallRequest.update(
        disposition=Case(None, [(by_machine, Disposition.MACHINE)], step.disposition),
        hangup_cause=step.hangup_cause,
        answered=fn.COALESCE(CallRequest.answered, step.answered),
        ended=step.ended,
        finished=CallRequest.finished | step.finished,
        hung_up=step.hung_up,
        refused=step.refused,
    )
    update = (
        update.from_(steps).with_cte(steps).where(held_among(steps), CallRequest.ended.is_null())
    )
    return update.returning(
        *(CallRequest.id, CallRequest.withdrawn, CallRequest.answered, CallRequest.disposition)
    )


_RINGING = Prepared(CallRequest, _set_rang)
_ANSWERED = Prepared(CallRequest, _set_answered)
_ENDED = Prepared(CallRequest, _set_ended)


@together
def ringing(steps: Sequence[tuple[Call]]) -> Sequence[None]:
    """Record that the callee's phone rings, once."""
    rings = change(_RINGING, [call for (call,) in steps])
    _record(TimelineWord.RINGING, [call for (call,) in steps if call.id in rings])
    return [None] * len(steps)


@together
def answered(steps: Sequence[tuple[Call, datetime]]) -> Sequence[None]:
    """Record that the call was answered, once."""
    new = change(_ANSWERED, [call for call, _ in steps], [(at,) for _, at in steps])
    _record(TimelineWord.ANSWERED, [call for call, _ in steps if call.id in new])
    return [None] * len(steps)


def _record(what: str, placed: Sequence[Call]) -> None:
    record_all(Entry(call.alarm_id, what, request_id=call.request_id) for call in placed)


def detected(call: Call, status: AmdStatus, why: str) -> None:
    """Record whether a person or a machine answered. A person stays a person."""
    row = held(call)
    if row.amd_status not in (status, AmdStatus.PERSON):
        put(row, amd_status=status)
        record(call.alarm_id, status.word, why, request_id=call.request_id)


def unknown(call: Call, why: str) -> None:
    """Record that it is not known whether the call was placed."""
    row = held(call)
    if row.status == CallStatus.CALLING:
        move(row, CallStatus.UNKNOWN)
        record(call.alarm_id, TimelineWord.UNKNOWN, why, request_id=call.request_id)


def found(call: Call) -> None:
    """Record that the channel exists, if that was in doubt."""
    row = held(call)
    if row.status == CallStatus.UNKNOWN:
        move(row, CallStatus.CALLING)
        record(call.alarm_id, TimelineWord.FOUND, "its channel lives", request_id=call.request_id)


def adopted(call: Call) -> None:
    """Record that this run continues a call that another run placed."""
    record(
        call.alarm_id,
        TimelineWord.ADOPTED,
        f"by worker {held(call).worker}",
        request_id=call.request_id,
    )


@dataclass(frozen=True)
class End:
    """How a channel has ended.

    `disposition` None: the fate is unknown. `billed_seconds`: how long it was answered, if the
    answer itself was missed. `finished`: the survey ended or the callee hung up; nothing of this
    service failed. `hung_up`: the callee hung up while nobody talked to them. `refused`: the
    gateway's endpoint does not work.
    """

    disposition: Disposition | None
    cause: int
    why: str
    at: datetime
    billed_seconds: int = 0
    finished: bool = False
    hung_up: bool = False
    refused: bool = False

    @property
    def answered(self) -> datetime | None:
        """When the call was answered, if nobody has seen it."""
        unseen = self.disposition is Disposition.ANSWER
        return self.at - timedelta(seconds=self.billed_seconds) if unseen else None


@together
def end(steps: Sequence[tuple[Call, End]]) -> Sequence[None]:
    """Record the end of the channel, once. The outcome stage does the rest."""
    values = [
        (
            *(end.disposition or "", end.cause, end.answered, end.at),
            *(end.finished, end.hung_up, end.refused),
        )
        for _, end in steps
    ]
    ended = change(_ENDED, [call for call, _ in steps], values)
    if not ended:
        return [None] * len(steps)
    concurrency.release(list(ended))
    record_all(
        Entry(call.alarm_id, _word(end, ended[call.id]), end.why, call.request_id)
        for call, end in steps
        if call.id in ended
    )
    wake("outcome")
    wake("dialing")  # a line is free again
    return [None] * len(steps)


def _word(end: End, row: CallRequest) -> str:
    """Return the word of the timeline for the end of a call."""
    answer = row.disposition in (Disposition.ANSWER, Disposition.MACHINE)
    if row.withdrawn and row.answered is None and not answer:
        return TimelineWord.TAKEN_BACK
    if answer:
        return TimelineWord.HUNG_UP
    if end.disposition is None:
        return TimelineWord.UNKNOWN
    return dispositions.reason(end.disposition, end.cause)
