"""Call requests: from the claim to the end of the channel."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

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
from telealarm.rules import disposition as dispositions
from telealarm.rules import phone
from telealarm.rules.eligibility import Verdict
from telealarm.rules.rate_limit import READY
from telealarm.store.alarms import eligibility
from telealarm.store.dialing import concurrency, pauses, workers
from telealarm.store.dialing.call_rate import Slot
from telealarm.store.engine.claim import Holder
from telealarm.store.engine.database import wake
from telealarm.store.engine.timeline import record
from telealarm.store.engine.transition import move, put
from telealarm.store.outcome import apply, ended_calls
from telealarm.words import (
    AlarmStatus,
    AmdBehavior,
    AmdStatus,
    CallStatus,
    Disposition,
    EventStatus,
    TimelineWord,
)

# How long a call waits that Asterisk could not be told of.
NOT_SENT = timedelta(seconds=5)


@dataclass(frozen=True)
class Call:
    """A claimed call as the stages pass it on; `fence` guards every write that it makes."""

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
    # When it is to be sent at the earliest, on the monotonic clock, and its slot, if it has one.
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
    """The call request of a claimed alarm request. Its channel id follows from the request's id."""
    alarm = request.alarm
    return CallRequest.create(
        owner=request.owner_id,
        request=request,
        alarm=alarm,
        aleg_uuid=channel_id(workers.installation(), request.id),
        call_time=now,
        callerid=setting.callerid,
        caller_name=setting.caller_name,
        phone_number=alarm.alarm_phonenumber,
        dialled=dialled,
        endpoint=endpoint,
        timeout=setting.call_timeout,
        gateway=gateway,
        survey=survey,
        amd_behavior=setting.amd_behavior if setting.voicemail else None,
        voicemail_audiofile=setting.voicemail_audiofile,
        num_attempt=alarm.num_attempt + _counted(request),
        worker=holder.name,
        fence=holder.fence,
    )


def channel_id(installation: str, request_id: int) -> str:
    """The id of a request's channel. All are of one length: Asterisk (22.10) refuses an id that
    another channel's id begins with, with 409 as if that very id lived.
    """
    return f"ta-{installation}-{request_id:010d}"


def _counted(request: AlarmRequest) -> int:
    """1, or 0 where an attempt that was counted goes on by another gateway."""
    return 0 if request.tried else 1


def describe(row: CallRequest, at: float = -math.inf, slot: Slot | None = None) -> Call:
    """`row` as the stages pass it on."""
    assert row.worker is not None  # it is written with its worker
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
    """The calls of this worker that were placed and have not ended."""
    rows = CallRequest.select().where(
        CallRequest.worker == holder.name,
        CallRequest.fence == holder.fence,
        CallRequest.status.in_([CallStatus.CALLING, CallStatus.UNKNOWN]),
        CallRequest.ended.is_null(),
    )
    return [describe(row) for row in rows]


def start(call: Call, now: datetime) -> bool:
    """Commit CALLING, before anything is sent. False where the alarm is not wanted any more.

    Its prompts were rendered since it was claimed: everything is looked at again.
    """
    row = held(call)
    request, alarm = row.request, row.alarm
    paused = alarm.event.status == EventStatus.PAUSED
    ahead = alarm.due is not None and alarm.due > now + READY
    if row.withdrawn or paused or ahead or alarm.deleted or alarm.event.deleted:
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
    # The request was made ready a moment before its date.
    decision = eligibility.decide(alarm, max(now, request.date))
    if decision.action is Verdict.WAIT:
        workers.put_back(row, decision.why)  # it is put off when it is claimed again
        return False
    if decision.action is not Verdict.GO:
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
    """CALLING was committed, but nothing was sent: the attempt does not count."""
    row = held(call)
    _count(row, -1)
    request = row.request
    workers.put_back(row, why)
    put(AlarmRequest.get_by_id(request.id), date=now + NOT_SENT)


def give_back(call: Call, why: str, until: datetime) -> None:
    """A claimed call cannot be placed now; its request waits until then."""
    request = held(call).request
    workers.put_back(held(call), why)
    put(AlarmRequest.get_by_id(request.id), date=until)


def forgotten(holder: Holder, watched: set[int]) -> None:
    """Put back what this worker has claimed and nobody places, after the failure of a watch."""
    for row in CallRequest.select().where(
        CallRequest.worker == holder.name,
        CallRequest.fence == holder.fence,
        CallRequest.status == CallStatus.PENDING,
        CallRequest.id.not_in(list(watched)),
    ):
        workers.put_back(row, "its placing failed")


def _count(row: CallRequest, change: int) -> None:
    """num_attempt counts the attempts of an alarm, notify_count the alarms that went out."""
    if not _counted(row.request):
        return
    put(row.alarm, num_attempt=Alarm.num_attempt + change)
    if row.num_attempt == 1:
        Event.update(notify_count=Event.notify_count + change).where(
            Event.id == row.alarm.event_id
        ).execute()


def ringing(call: Call) -> None:
    """The callee's phone rings. Told once."""
    row = held(call)
    if not row.rang:
        put(row, rang=True)
        record(call.alarm_id, TimelineWord.RINGING, request_id=call.request_id)


def answered(call: Call, now: datetime) -> None:
    """Somebody picked up. Told once."""
    row = held(call)
    if row.answered is None:
        put(row, answered=now)
        record(call.alarm_id, TimelineWord.ANSWERED, request_id=call.request_id)


def detected(call: Call, who: AmdStatus, why: str) -> None:
    """It was found out who answered. A person is not taken for a machine any more."""
    row = held(call)
    if row.amd_status not in (who, AmdStatus.PERSON):
        put(row, amd_status=who)
        record(call.alarm_id, who.word, why, request_id=call.request_id)


def unknown(call: Call, why: str) -> None:
    """It cannot be told whether the call was placed."""
    row = held(call)
    if row.status == CallStatus.CALLING:
        move(row, CallStatus.UNKNOWN)
        record(call.alarm_id, TimelineWord.UNKNOWN, why, request_id=call.request_id)


def found(call: Call) -> None:
    """The channel lives, whatever was thought of it; told where that was in doubt."""
    row = held(call)
    if row.status == CallStatus.UNKNOWN:
        move(row, CallStatus.CALLING)
        record(call.alarm_id, TimelineWord.FOUND, "its channel lives", request_id=call.request_id)


def adopted(call: Call) -> None:
    """Another run of the service placed the call; this one goes on with it."""
    record(
        call.alarm_id,
        TimelineWord.ADOPTED,
        f"by worker {held(call).worker}",
        request_id=call.request_id,
    )


def end(
    call: Call,
    *,
    disposition: Disposition | None,
    cause: int,
    why: str,
    now: datetime,
    billed_seconds: int,
    finished: bool,
    refused: bool = False,
) -> None:
    """The channel is gone; what follows is the outcome stage's. `disposition` None: fate unknown.

    `billed_seconds` is how long it was answered, where nobody saw it being answered. `finished`:
    the survey came to its end or the callee hung up; nothing of ours broke off. `refused`: its
    gateway leads nowhere.
    """
    row = held(call)
    if row.ended is not None:
        return
    if disposition is Disposition.ANSWER and row.amd_status == AmdStatus.MACHINE:
        disposition = Disposition.MACHINE
    answered = row.answered
    if answered is None and disposition is Disposition.ANSWER:
        answered = now - timedelta(seconds=billed_seconds)
    put(
        row,
        disposition=disposition or "",
        hangup_cause=cause,
        answered=answered,
        ended=now,
        finished=row.finished or finished,
        refused=refused,
    )
    concurrency.release([row.id])
    what: str = TimelineWord.UNKNOWN
    if row.withdrawn and row.answered is None and disposition is not Disposition.ANSWER:
        what = TimelineWord.TAKEN_BACK
    elif disposition in (Disposition.ANSWER, Disposition.MACHINE):
        what = TimelineWord.HUNG_UP
    elif disposition is not None:
        what = dispositions.reason(disposition, cause)
    record(call.alarm_id, what, why, request_id=call.request_id)
    wake("outcome")
    wake("dialing")  # there is room again


def withdrawn(holder: Holder) -> list[int]:
    """The calls of this worker that are to be hung up, because nobody has answered them yet."""
    rows = CallRequest.select(CallRequest.id).where(
        CallRequest.worker == holder.name,
        CallRequest.fence == holder.fence,
        CallRequest.withdrawn.is_null(False),
        CallRequest.ended.is_null(),
        CallRequest.answered.is_null(),
    )
    return [row.id for row in rows]


def held(call: Call) -> CallRequest:
    """The row of a call that this worker holds. Raises Fenced where another took it over."""
    row = CallRequest.get_or_none(
        CallRequest.id == call.id,
        CallRequest.worker == call.worker,
        CallRequest.fence == call.fence,
    )
    if row is None:
        raise Fenced(f"call {call.id} is another worker's now")
    return row
