"""Alarm requests: the attempts of an alarm, between planning and dialing."""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from peewee import ModelSelect, fn

from telealarm import methods
from telealarm.clock import utcnow
from telealarm.models import Alarm, AlarmRequest, CallRequest, Event
from telealarm.rules import calling_hours
from telealarm.rules.rate_limit import READY
from telealarm.store.engine import crud, dialect
from telealarm.store.engine.database import wake
from telealarm.store.engine.joined import Joined
from telealarm.store.engine.prepared import Given, Prepared
from telealarm.store.engine.timeline import record, record_each
from telealarm.store.engine.transition import move, move_all, put
from telealarm.words import AlarmStatus, Reason, TimelineWord

_RANG_BACK = CallRequest.inbound == True  # noqa: E712 - SQL

# The queue of requests that are not calls.
NO_CALL = 0


def enqueue(alarm: Alarm, date: datetime, now: datetime, *, why: str = "") -> AlarmRequest:
    """Return one more attempt of `alarm`, due at `date`. The alarm is in process then.

    An alarm without a due time (finished, or requested by hand) has no expiry.
    """
    if alarm.status != AlarmStatus.IN_PROCESS:
        move(alarm, AlarmStatus.IN_PROCESS, status_reason="", called_off=None)
    request = write(alarm, date, now, queue=_queue(alarm))
    record(alarm.id, TimelineWord.DUE, why, request_id=request.id, at=now)
    wake("dialing")
    wake("planning")  # it watches the expiry
    return request


def enqueue_due(now: datetime, limit: int) -> list[AlarmRequest]:
    """Enqueue up to `limit` alarms that are due, oldest first. Return their requests.

    They are written together. Ten thousand single writes would occupy the writer for ten seconds
    and delay alarms that come due a moment later. Raises Stale if one of the alarms was changed
    meanwhile. Then nothing is written.
    """
    rows = _DUE.rows(now=now + READY, limit=limit)
    # Sorted here: PostgreSQL would sort a whole crowd of one moment for each batch of it.
    alarms = sorted(rows, key=attrgetter("due", "id"))
    move_all(
        alarms,
        AlarmStatus.IN_PROCESS,
        [{Alarm.status_reason.name: "", Alarm.called_off.name: None}] * len(alarms),
    )
    requests = [_row(alarm, max(now, alarm.due or now), now, _queue(alarm)) for alarm in alarms]
    ids = {alarm: row_id for row_id, alarm in crud.insert_all(requests, AlarmRequest.alarm)}
    for request in requests:
        request.id = ids[request.alarm_id]
    record_each(requests, TimelineWord.DUE, "", at=now)
    if requests:
        wake("dialing")
    return requests


def _due(columns: Sequence[Any]) -> Any:
    query = (
        Alarm.select(*columns)
        .join_from(Alarm, Event)
        .where(
            Alarm.status == AlarmStatus.PENDING,
            Alarm.due <= Given("now", Alarm.due),
        )
        .order_by(Alarm.due)
        .limit(Given("limit", Alarm.id))
    )
    # Alarms that another worker enqueues are skipped.
    return dialect.skip_locked(query, of=Alarm)


_DUE = Joined(Alarm, (Event, Alarm, "event"), build=_due)


def again(alarm: Alarm, date: datetime, now: datetime) -> AlarmRequest:
    """Return the attempt that follows a failed one. The alarm is in RETRY until it is made."""
    request = write(alarm, date, now, queue=_queue(alarm))
    wake("dialing")
    wake("planning")
    return request


def write(
    alarm: Alarm, date: datetime, now: datetime, *, queue: int, tried: Sequence[int] = ()
) -> AlarmRequest:
    """Return the new row of one attempt. `tried`: the gateways that were tried already."""
    row = _row(alarm, date, now, queue, tried)
    row.save()
    return row


def _row(
    alarm: Alarm, date: datetime, now: datetime, queue: int, tried: Sequence[int] = ()
) -> AlarmRequest:
    """Return one attempt. It is not in the database yet."""
    return AlarmRequest(
        owner=alarm.owner_id,
        alarm=alarm,
        queue=queue,
        date=date,
        expires=expiry(alarm),
        created_date=now,
        tried=list(tried),
    )


def _queue(alarm: Alarm) -> int:
    return alarm.event.calendar_id if methods.of(alarm.method).uses_channel else NO_CALL


def expiry(alarm: Alarm) -> datetime | None:
    """Return when the alarm expires; None if it has no due time."""
    if alarm.due is None:
        return None
    return calling_hours.expiry(
        due=alarm.due,
        start=alarm.event.start,
        end=alarm.event.end,
        max_lateness_seconds=alarm.max_lateness,
        missed_policy=alarm.missed_policy,
    )


def defer(request: AlarmRequest, until: datetime, reason: str, why: str) -> None:
    """Defer the attempt until `until`. The timeline shows `why` if the `reason` is new."""
    if request.status_reason != reason:
        record(
            request.alarm_id,
            TimelineWord.DEFERRED,
            why,
            request_id=request.id,
        )
    put(request, date=until, status_reason=reason)


# The reasons of attempts that wait for hours or for a cap, which may be edited.
_RECONSIDERED = [Reason.CALLING_HOURS, Reason.PERSON_HOURS, Reason.CONTACT_CAP]


def reconsider(alarms: "Sequence[int] | ModelSelect[Alarm]") -> None:
    """Check the attempts again that wait for their calling hours or for a cap of the person.

    The hours, the cap or the number were edited.

    `alarms` are ids or a query of ids.
    """
    AlarmRequest.update(date=utcnow(), status_reason="").where(
        AlarmRequest.alarm.in_(alarms),
        AlarmRequest.status == AlarmStatus.PENDING,
        AlarmRequest.status_reason.in_(_RECONSIDERED),
    ).execute()
    wake("dialing")


def put_off(request: AlarmRequest, expires: datetime) -> None:
    """Set a new expiry, because the event was moved."""
    put(request, expires=expires)


def next_due(now: datetime) -> datetime | None:
    """Return when the next attempt is to be made ready. Attempts that are ready do not count."""
    rows = _NEXT.rows(now=now + READY)
    return rows[0].date - READY if rows else None


_NEXT = Prepared(
    AlarmRequest,
    lambda: (
        AlarmRequest.select(AlarmRequest.date)
        .where(
            AlarmRequest.status == AlarmStatus.PENDING,
            AlarmRequest.date > Given("now", AlarmRequest.date),
        )
        .order_by(AlarmRequest.date)
        .limit(1)
    ),
)


def expired(now: datetime, limit: int) -> list[AlarmRequest]:
    """Return up to `limit` waiting attempts that have expired, oldest first."""
    return list(
        AlarmRequest.select()
        .where(AlarmRequest.status == AlarmStatus.PENDING, AlarmRequest.expires <= now)
        .order_by(AlarmRequest.expires)
        .limit(limit)
    )


def failures(alarm_id: int) -> dict[str, int]:
    """Return how many requests of the alarm failed, by reason. Calls by the callee are left out."""
    rows = (
        AlarmRequest.select(AlarmRequest.status_reason, fn.COUNT(AlarmRequest.id))
        .where(
            AlarmRequest.alarm == alarm_id,
            AlarmRequest.status.in_([AlarmStatus.RETRY, AlarmStatus.FAILURE]),
            AlarmRequest.status_reason != Reason.FAILOVER,
            AlarmRequest.id.not_in(CallRequest.select(CallRequest.request).where(_RANG_BACK)),
        )
        .group_by(AlarmRequest.status_reason)
        .tuples()
    )
    return dict(rows.execute())
