"""Call requests: from the claim to the end of the channel."""

import math
from collections import Counter
from collections.abc import Sequence
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
)
from telealarm.rules import eligibility, phone
from telealarm.rules.eligibility import Eligibility
from telealarm.rules.rate_limit import READY
from telealarm.store import do_not_call
from telealarm.store.alarms import alarms
from telealarm.store.alarms import eligibility as alarms_eligibility
from telealarm.store.dialing import concurrency, workers
from telealarm.store.dialing.call_admission import Admitted, Placement
from telealarm.store.dialing.call_rate import Slot
from telealarm.store.engine import crud, read_cache
from telealarm.store.engine.claim import Holder
from telealarm.store.engine.prepared import Given, Prepared, given_rows
from telealarm.store.engine.timeline import Entry, record_all
from telealarm.store.engine.together import together
from telealarm.store.engine.transition import move, move_all, put, put_all
from telealarm.store.outcome import apply, call_rows, ended_calls
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


def begin(placed: Sequence[Placement], holder: Holder, now: datetime) -> dict[int, CallRequest]:
    """Claim these requests, and create their calls. Return the calls by the ids of the requests.

    The id of a call's channel comes from the id of its request.
    """
    admitted = [placement.admitted for placement in placed]
    installation = workers.installation() if admitted else ""
    rows = {one.request.id: _row(one, installation, holder, now) for one in admitted}
    for placement in placed:
        rows[placement.request.id].contact = placement.contact
    for row_id, request_id in crud.insert_all(list(rows.values()), CallRequest.request):
        rows[request_id].id = row_id
    # The requests last: if a call cannot be written, they are as they were.
    move_all(
        [one.request for one in admitted],
        AlarmStatus.IN_PROCESS,
        [
            {
                "worker": holder.name,
                "fence": holder.fence,
                "status_reason": one.status_reason,
                "queue": one.request.alarm.event.calendar_id,
            }
            for one in admitted
        ],
    )
    record_all(one.entry for one in admitted if one.entry is not None)
    return rows


def _row(one: Admitted, installation: str, holder: Holder, now: datetime) -> CallRequest:
    """Return the call of an admitted request. It is not in the database yet."""
    request, alarm = one.request, one.request.alarm
    return CallRequest(
        owner=request.owner_id,
        request=request,
        alarm=alarm,
        aleg_uuid=channel_id(installation, request.id),
        call_time=now,
        phone_number=alarm.alarm_phonenumber,
        dialled=one.dialled,
        endpoint=one.endpoint,
        timeout=one.setting.call_timeout,
        gateway=one.gateway,
        survey=one.survey_id,
        num_attempt=alarm.num_attempt + _counted(request),
        worker=holder.name,
        fence=holder.fence,
        **caller(one.setting),
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


@together
def start(steps: Sequence[tuple[Call, datetime]]) -> Sequence[bool]:
    """Commit CALLING, before anything is sent. False: the alarm is not wanted any more.

    The prompts were rendered since the claim, which takes time. So everything is checked again.
    """
    now = max(at for _, at in steps)
    with read_cache.remembering():
        rows = call_rows.whole([call.id for call, _ in steps])
        placed = [rows[call.id] if call.id in rows else held(call) for call, _ in steps]
        for row, (call, _) in zip(placed, steps, strict=True):
            if not is_held(row, call):
                raise Fenced(f"call {call.id} is another worker's now")
        forbidden = do_not_call.forbidden([row.alarm for row in placed])
        paused = bool(read_cache.known(call_rows.PAUSED))
        wanted = [
            _is_wanted(row, now, forbidden=row.alarm_id in forbidden, paused=paused)
            for row in placed
        ]
        _call([row for row, go in zip(placed, wanted, strict=True) if go], now)
    return wanted


def _is_wanted(row: CallRequest, now: datetime, *, forbidden: bool, paused: bool) -> bool:
    """Return whether the call is still to be placed. If not, put it back or end it."""
    request, alarm = row.request, row.alarm
    ahead = alarm.due is not None and alarm.due > now + READY
    gone = alarm.is_gone or alarms.is_called_off(alarm)
    if row.withdrawn or alarm.event.status == EventStatus.PAUSED or ahead or gone:
        put(row, ended=now)
        concurrency.release([row.id])
        ended_calls.withdraw(row, now)
        return False
    if row.phone_number != alarm.alarm_phonenumber:
        workers.put_back(row, "its number was changed before it was dialled")
        return False
    if paused or row.gateway.paused is not None:
        workers.put_back(row, "dialing was paused before it was dialled")
        return False
    terms = alarms_eligibility.of(alarm, alarms_eligibility.profile_of(alarm), forbidden=forbidden)
    # The request was prepared a moment before its date.
    decision = eligibility.decide(terms, max(now, request.date))
    if decision.action is Eligibility.WAIT:
        workers.put_back(row, decision.why)  # the next claim puts it off
        return False
    if decision.action is not Eligibility.GO:
        put(row, ended=now)
        concurrency.release([row.id])
        move(row, CallStatus.ABORT, settled=now)
        apply.end(request, decision, now)
        return False
    return True


def _call(rows: Sequence[CallRequest], now: datetime) -> None:
    """Save that these calls are placed now, and count their attempts."""
    move_all(rows, CallStatus.CALLING, [{"started": now, "last_attempt_time": now}] * len(rows))
    move_all(
        [row.alarm for row in rows if row.alarm.status == AlarmStatus.RETRY],
        AlarmStatus.IN_PROCESS,
    )
    counted = [row for row in rows if _counted(row.request)]
    put_all(
        [row.alarm for row in counted],
        [{"num_attempt": row.alarm.num_attempt + 1} for row in counted],
    )
    first = Counter(row.alarm.event_id for row in counted if row.num_attempt == 1)
    _NOTIFY.run(events=list(first.items()))
    record_all(
        Entry(
            row.alarm_id,
            TimelineWord.ORIGINATE,
            f"attempt {row.num_attempt} to {row.phone_number}",
            row.request_id,
        )
        for row in rows
    )


def _notify() -> Any:
    events = given_rows("events", Event.id, Event.notify_count)
    update = Event.update(notify_count=Event.notify_count + events.c.notify_count)
    return update.from_(events).with_cte(events).where(Event.id == events.c.id)


_NOTIFY = Prepared(Event, _notify)


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
    found = _WITHDRAWN.tuples(worker=holder.name, fence=holder.fence)
    return [call_id for (call_id,) in found]


_WITHDRAWN = Prepared(
    CallRequest,
    lambda: CallRequest.select(CallRequest.id).where(
        CallRequest.worker == Given("worker", CallRequest.worker),
        CallRequest.fence == Given("fence", CallRequest.fence),
        CallRequest.withdrawn.is_null(False),
        CallRequest.ended.is_null(),
        CallRequest.answered.is_null(),
    ),
)


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
