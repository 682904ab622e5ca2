"""Alarm requests: the attempts of an alarm, between planning and dialing."""

from collections.abc import Sequence
from datetime import datetime

from peewee import ModelSelect, fn

from telealarm import methods
from telealarm.clock import utcnow
from telealarm.errors import Stale
from telealarm.models import Alarm, AlarmRequest, CallRequest, Event
from telealarm.rules import calling_hours, transitions
from telealarm.rules.rate_limit import READY
from telealarm.store.engine.crud import first
from telealarm.store.engine.database import wake
from telealarm.store.engine.timeline import record, record_each
from telealarm.store.engine.transition import move, put
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


def enqueue_together(alarm_ids: Sequence[int], now: datetime) -> list[int]:
    """Enqueue all of these alarms that are due and make calls. Return their ids.

    The requests are written together. Ten thousand single writes would occupy the writer for ten
    seconds and delay alarms that come due a moment later. Raises Stale if one of the alarms was
    changed meanwhile. Then nothing is written.
    """
    calling = (Alarm.status == AlarmStatus.PENDING) & (Alarm.due <= now + READY)
    calling &= Alarm.id.in_(list(alarm_ids)) & Alarm.method.in_(methods.on_channel())
    due = Alarm.select(Alarm, Event).join(Event).where(calling)
    alarms = list(due.order_by(Alarm.due, Alarm.id))
    if not alarms:
        return []
    ids = [alarm.id for alarm in alarms]
    transitions.check(transitions.ALARM, AlarmStatus.PENDING, AlarmStatus.IN_PROCESS)
    moved = Alarm.update(status=AlarmStatus.IN_PROCESS, status_reason="").where(
        calling, Alarm.id.in_(ids)
    )
    if moved.execute() != len(ids):
        raise Stale("one of the alarms was changed by another")
    AlarmRequest.insert_many(
        {
            "owner": alarm.owner_id,
            "alarm": alarm.id,
            "queue": alarm.event.calendar_id,
            "date": max(now, alarm.due or now),
            "expires": expiry(alarm),
            "created_date": now,
        }
        for alarm in alarms
    ).execute()
    waiting = AlarmRequest.select(AlarmRequest.id, AlarmRequest.alarm).where(
        AlarmRequest.alarm.in_(ids), AlarmRequest.status == AlarmStatus.PENDING
    )
    record_each(list(waiting), TimelineWord.DUE, "", at=now)
    wake("dialing")
    wake("planning")  # it watches the expiry
    return ids


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
    return AlarmRequest.create(
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


def reconsider(alarms: "Sequence[int] | ModelSelect[Alarm]") -> None:
    """Check the attempts again that wait for their calling hours, because the hours were edited.

    `alarms` are ids or a query of ids.
    """
    AlarmRequest.update(date=utcnow(), status_reason="").where(
        AlarmRequest.alarm.in_(alarms),
        AlarmRequest.status == AlarmStatus.PENDING,
        AlarmRequest.status_reason.in_([Reason.CALLING_HOURS, Reason.PERSON_HOURS]),
    ).execute()
    wake("dialing")


def put_off(request: AlarmRequest, expires: datetime) -> None:
    """Set a new expiry, because the event was moved."""
    put(request, expires=expires)


def next_due(now: datetime) -> datetime | None:
    """Return when the next attempt is to be made ready. Attempts that are ready do not count."""
    row = first(
        AlarmRequest.select(AlarmRequest.date)
        .where(AlarmRequest.status == AlarmStatus.PENDING, AlarmRequest.date > now + READY)
        .order_by(AlarmRequest.date)
    )
    return row.date - READY if row else None


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
