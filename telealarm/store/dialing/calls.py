"""Call requests: from the claim to the end of the channel."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from telealarm.errors import Fenced
from telealarm.models import (
    Alarm,
    AlarmRequest,
    CalendarSetting,
    CallRequest,
    Event,
    Gateway,
    Survey,
)
from telealarm.rules import phone
from telealarm.rules.eligibility import Eligibility
from telealarm.rules.rate_limit import READY
from telealarm.store.alarms import alarms, eligibility
from telealarm.store.dialing import concurrency, pauses, workers
from telealarm.store.dialing.call_rate import Slot
from telealarm.store.engine.claim import Holder
from telealarm.store.engine.timeline import record
from telealarm.store.engine.transition import move, put
from telealarm.store.outcome import apply, ended_calls
from telealarm.words import (
    AlarmStatus,
    AmdBehavior,
    AmdStatus,
    CallStatus,
    EventStatus,
    TimelineWord,
)

# How long a call waits after Asterisk could not be reached.
NOT_SENT = timedelta(seconds=5)


@dataclass(frozen=True)
class Call:
    """A claimed call as the stages pass it on. `fence` guards every write for it."""

    id: int
    request_id: int
    alarm_id: int
    survey_id: int
    channel_id: str
    fence: int
    worker: str
    number: str
    endpoint: str
    caller_id: str
    ring_seconds: int
    limit_seconds: int
    amd_behavior: AmdBehavior | None
    rang: bool
    answered: datetime | None
    # What AMD found, if this run knows it.
    amd_status: AmdStatus | None = None
    # The earliest moment to send it, on the monotonic clock, and its slot, if it has one.
    at: float = -math.inf
    slot: Slot | None = None


def begin(
    request: AlarmRequest,
    setting: CalendarSetting,
    survey: Survey,
    gateway: Gateway,
    dialled: str,
    endpoint: str,
    holder: Holder,
    now: datetime,
) -> CallRequest:
    """Create the call request of a claimed alarm request. Its channel id comes from its id."""
    alarm = request.alarm
    return CallRequest.create(
        owner=request.owner_id,
        request=request,
        alarm=alarm,
        aleg_uuid=channel_id(workers.installation(), request.id),
        call_time=now,
        phone_number=alarm.alarm_phonenumber,
        dialled=dialled,
        endpoint=endpoint,
        timeout=setting.call_timeout,
        gateway=gateway,
        survey=survey,
        num_attempt=alarm.num_attempt + _counted(request),
        worker=holder.name,
        fence=holder.fence,
        **caller(setting),
    )


def caller(setting: CalendarSetting) -> dict[str, Any]:
    """Return the columns of a call that say who calls, and what an answering machine hears."""
    return {
        "callerid": setting.callerid,
        "caller_name": setting.caller_name,
        "amd_behavior": setting.amd_behavior if setting.voicemail else None,
        "voicemail_audiofile": setting.voicemail_audiofile,
    }


def channel_id(installation: str, request_id: int) -> str:
    """Return the id of a request's channel. All ids have the same length.

    Asterisk (22.10) refuses an id that is the beginning of another channel's id, with 409, as if
    the id itself existed.
    """
    return f"ta-{installation}-{request_id:010d}"


def _counted(request: AlarmRequest) -> int:
    """Return 1, or 0 if a counted attempt continues through another gateway."""
    return 0 if request.tried else 1


def describe(row: CallRequest, at: float = -math.inf, slot: Slot | None = None) -> Call:
    """Return `row` in the form that the stages pass on."""
    assert row.worker is not None  # every call is created with its worker
    return Call(
        id=row.id,
        request_id=row.request_id,
        alarm_id=row.alarm_id,
        survey_id=row.survey_id,
        channel_id=row.aleg_uuid,
        fence=row.fence,
        worker=row.worker,
        number=row.phone_number,
        endpoint=row.endpoint,
        caller_id=phone.caller_id(row.caller_name, row.callerid),
        ring_seconds=row.timeout,
        limit_seconds=row.timelimit,
        amd_behavior=AmdBehavior(row.amd_behavior) if row.amd_behavior else None,
        rang=row.rang,
        answered=row.answered,
        at=at,
        slot=slot,
    )


def in_flight(holder: Holder) -> list[Call]:
    """Return the calls of this worker that were placed and have not ended."""
    rows = CallRequest.select().where(
        CallRequest.worker == holder.name,
        CallRequest.fence == holder.fence,
        CallRequest.status.in_([CallStatus.CALLING, CallStatus.UNKNOWN]),
        CallRequest.ended.is_null(),
    )
    return [describe(row) for row in rows]


def start(call: Call, now: datetime) -> bool:
    """Commit CALLING, before anything is sent. Return False if the alarm is not wanted any more.

    Its prompts were rendered since the claim, which takes time. So everything is checked again.
    """
    row = held(call)
    request, alarm = row.request, row.alarm
    paused = alarm.event.status == EventStatus.PAUSED
    ahead = alarm.due is not None and alarm.due > now + READY
    gone = alarm.deleted or alarm.event.deleted or alarms.is_called_off(alarm)
    if row.withdrawn or paused or ahead or gone:
        put(row, ended=now)
        concurrency.release([row.id])
        ended_calls.withdraw(row, now)
        return False
    if row.phone_number != alarm.alarm_phonenumber:
        workers.put_back(row, "its number was changed before it was dialled")
        return False
    if pauses.holds(row.gateway):
        workers.put_back(row, "dialing was paused before it was dialled")
        return False
    # The request was prepared a moment before its date.
    decision = eligibility.decide(alarm, max(now, request.date))
    if decision.action is Eligibility.WAIT:
        workers.put_back(row, decision.why)  # the next claim puts it off
        return False
    if decision.action is not Eligibility.GO:
        put(row, ended=now)
        concurrency.release([row.id])
        move(row, CallStatus.ABORT, settled=now)
        apply.end(request, decision, now)
        return False
    move(row, CallStatus.CALLING, started=now, last_attempt_time=now)
    if alarm.status == AlarmStatus.RETRY:
        move(alarm, AlarmStatus.IN_PROCESS)
    _count(row, 1)
    record(
        alarm.id,
        TimelineWord.ORIGINATE,
        f"attempt {row.num_attempt} to {call.number}",
        request_id=request.id,
    )
    return True


def take_back(call: Call, why: str, now: datetime) -> None:
    """Undo `start` for a call that was not sent. The attempt does not count."""
    row = held(call)
    _count(row, -1)
    request = row.request
    workers.put_back(row, why)
    put(AlarmRequest.get_by_id(request.id), date=now + NOT_SENT)


def give_back(call: Call, why: str, until: datetime) -> None:
    """Put back a claimed call that cannot be placed now. Its request waits until then."""
    request = held(call).request
    workers.put_back(held(call), why)
    put(AlarmRequest.get_by_id(request.id), date=until)


def forgotten(holder: Holder, watched: set[int]) -> None:
    """Put back calls that this worker claimed, but whose supervisor failed before placing them."""
    for row in CallRequest.select().where(
        CallRequest.worker == holder.name,
        CallRequest.fence == holder.fence,
        CallRequest.status == CallStatus.PENDING,
        CallRequest.id.not_in(list(watched)),
    ):
        workers.put_back(row, "its placing failed")


def _count(row: CallRequest, change: int) -> None:
    """Count an attempt: num_attempt of its alarm, and notify_count of the event for the first."""
    if not _counted(row.request):
        return
    put(row.alarm, num_attempt=Alarm.num_attempt + change)
    if row.num_attempt == 1:
        Event.update(notify_count=Event.notify_count + change).where(
            Event.id == row.alarm.event_id
        ).execute()


def withdrawn(holder: Holder) -> list[int]:
    """Return the calls of this worker to hang up: their alarms were cancelled before an answer."""
    rows = CallRequest.select(CallRequest.id).where(
        CallRequest.worker == holder.name,
        CallRequest.fence == holder.fence,
        CallRequest.withdrawn.is_null(False),
        CallRequest.ended.is_null(),
        CallRequest.answered.is_null(),
    )
    return [row.id for row in rows]


def of(call: Call) -> CallRequest:
    """Return the row of a call, whoever holds it now: for what the callee answered."""
    return CallRequest.get_by_id(call.id)


def is_held(row: CallRequest, call: Call) -> bool:
    """Return whether this worker still holds the call."""
    return (row.worker, row.fence) == (call.worker, call.fence)


def held(call: Call) -> CallRequest:
    """Return the row of a call that this worker holds. Raises Fenced if another took it over."""
    row = CallRequest.get_or_none(
        CallRequest.id == call.id,
        CallRequest.worker == call.worker,
        CallRequest.fence == call.fence,
    )
    if row is None:
        raise Fenced(f"call {call.id} is another worker's now")
    return row
