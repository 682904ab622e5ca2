"""Alarms as clients write them: when they are due, and how they are cancelled."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from peewee import ModelSelect

from telealarm.clock import utcnow
from telealarm.errors import Conflict, IllegalTransition, Invalid
from telealarm.models import Alarm, AlarmRequest, CallRequest, Event
from telealarm.rules import calling_hours
from telealarm.store import numbers
from telealarm.store.access import limits, users
from telealarm.store.access.limits import WAITING
from telealarm.store.alarms import attempts, distance, following, parents, quota, same_moment
from telealarm.store.engine import crud, dialect, read_cache, regions
from telealarm.store.engine.database import wake
from telealarm.store.engine.timeline import Entry, record, record_all
from telealarm.store.engine.together import together
from telealarm.store.engine.transition import move, put
from telealarm.store.messages import outbox
from telealarm.store.webhooks import webhooks
from telealarm.words import (
    UNSETTLED,
    AlarmResult,
    AlarmStatus,
    Change,
    EventStatus,
    Reason,
    StepTrigger,
    TimelineWord,
)

# The fields that the log of an alarm's attempts refers to.
_IN_HISTORY = ("alarm_phonenumber", "alarm_email", "method", "event")
_ATTEMPTING = [AlarmStatus.IN_PROCESS, AlarmStatus.RETRY]
# What an alarm for the carer has as the person's.
_OF_CARER = (
    *("daily_start", "daily_stop", "offset", "offset_elapsed", "offset_fold", "advance_notice"),
    *("maxretry", "retry_delay", "method", "survey", "mail_template", "sms_template"),
    *("url_cancel", "url_confirm", "phonenumber_transfer", "phonenumber_sms_failure"),
    *("transfer_e164", "sms_failure_e164", "timezone", "language", "max_lateness"),
    *("require_result", "retry_policy", "on_unknown", "missed_policy", "snooze_key"),
    *("trigger", "only_if_unanswered"),
)

# The condition that an alarm has not come to its end, and nobody has called it off.
WANTED = Alarm.status.in_(UNSETTLED) & Alarm.called_off.is_null() & Alarm.deleted.is_null()


def moment(alarm: Alarm, event: Event) -> datetime:
    """Return when the alarm is due: date_start_notice minus advance_notice."""
    return distance.notice(alarm, event) - timedelta(seconds=alarm.advance_notice)


def of_events(event_ids: Sequence[int]) -> list[Alarm]:
    """Return the alarms of these events, oldest first."""
    rows = Alarm.select().where(Alarm.event.in_(event_ids), Alarm.deleted.is_null())
    return list(rows.order_by(Alarm.id))


def schedule(alarm: Alarm, event: Event) -> None:
    """Set `due`. It is null while the event is paused, completed or deleted, or if the alarm was
    called off.

    The call counts on the day on which it is due: see quota.py.
    """
    due = moment(alarm, event)
    if alarm.status == AlarmStatus.PENDING and (why := quota.surplus(alarm, due)):
        miss_surplus(alarm, why)
        return
    crud.change(alarm, _planned(alarm, event))


def _planned(alarm: Alarm, event: Event) -> dict[str, Any]:
    """Return when the alarm is due, and the day on which it counts. Wake the planning."""
    wanted = event.status == EventStatus.PENDING and not event.deleted
    wanted = wanted or alarm.trigger == StepTrigger.CANCELLED
    wanted = wanted and not alarm.deleted and not alarm.called_off
    due = moment(alarm, event)
    day = quota.day_of(alarm, event, due)
    wake("planning")
    wake("ahead")
    return {"due": due if wanted else None, "counted_on": day}


def admit(alarm: Alarm, event: Event) -> None:
    """Schedule an alarm that waits from now on. It counts to the limits of its manager.

    If it follows a person, the person may have another number since it was written.
    """
    crud.change(alarm, following.outdated(alarm))
    if why := quota.surplus(alarm, moment(alarm, event), waits=True):
        miss_surplus(alarm, why)
        return
    quota.wait(alarm)
    schedule(alarm, event)


def miss_surplus(alarm: Alarm, why: str) -> None:
    """Save that a pending alarm is missed, because a limit of its manager is reached. Tell it."""
    now = utcnow()
    move(alarm, AlarmStatus.MISSED, status_reason=Reason.LIMIT, due=None)
    record(alarm.id, TimelineWord.MISSED, f"{Reason.LIMIT}: {why}", at=now)
    webhooks.tell(alarm, Change.MISSED, now)


def is_called_off(alarm: Alarm) -> bool:
    """Return whether nobody is to be called any more, even if an attempt is still being made."""
    return alarm.status == AlarmStatus.CANCELLED or alarm.called_off is not None


def locked(alarm_id: int) -> Alarm:
    """Return the alarm, locked until the end of this write: nobody calls it off meanwhile."""
    query = Alarm.select().where(Alarm.id == alarm_id)
    return dialect.lock_rows(query, "FOR NO KEY UPDATE").get()


def is_over(alarm: Alarm, event: Event, now: datetime) -> bool:
    """Return whether the alarm has expired."""
    expires = calling_hours.expiry(
        due=moment(alarm, event),
        start=event.start,
        end=event.end,
        max_lateness_seconds=alarm.max_lateness,
        missed_policy=alarm.missed_policy,
    )
    return expires <= now


@together
def create(news: Sequence[tuple[int, Mapping[str, Any], datetime]]) -> Sequence[Alarm]:
    """Return new alarms: `owner_id`, `values`, `now` of each. Raises Invalid.

    If an alarm has already expired, it is recorded as missed and not sent. An alarm of a parent
    event is copied to the children, even if the parent itself is over.
    """
    alarms = crud.create_all([_drafted(*new) for new in news])
    record_all(
        Entry(alarm.id, TimelineWord.CREATED, at=now)
        for alarm, (_, _, now) in zip(alarms, news, strict=True)
    )
    for alarm, (owner_id, asked, now) in zip(alarms, news, strict=True):
        if is_over(alarm, alarm.event, now):
            move(alarm, AlarmStatus.MISSED, status_reason=Reason.PAST)
            record(alarm.id, TimelineWord.MISSED, "was over when it was written", at=now)
        elif alarm.event.status == EventStatus.COMPLETED:
            cancel([alarm], Reason.EVENT_COMPLETED, now)
        if following.accompanied(alarm):
            create(owner_id, {**asked, "beside": alarm}, now)
        if parents.is_parent(alarm.event):
            parents.edited([alarm.event_id], now)
    return alarms


def _drafted(owner_id: int, values: Mapping[str, Any], now: datetime) -> Alarm:
    """Return the row of a new alarm, which counts to the limits of its manager. Raises Invalid."""
    event = values["event"]
    read_cache.share(event, "calendar")
    values = numbers.columns(values, numbers.OF_ALARM, regions.of_event(event))
    values = following.filled(values)
    completed = event.status == EventStatus.COMPLETED
    if completed and event.next_child_due is None:
        raise Invalid({"event": ["the event is completed; set its status to 1 first"]})
    users.setting_of(event.calendar.user)
    alarm = Alarm(**values, owner=owner_id, created_date=now)
    if not completed and not is_over(alarm, event, now):
        quota.wait(alarm)
        for name, value in _planned(alarm, event).items():
            setattr(alarm, name, value)
    return alarm


def accompany(alarm: Alarm, now: datetime) -> Alarm:
    """Return a new alarm like this one for the carer, who is told as well."""
    copied = {name: alarm.__data__.get(name) for name in _OF_CARER}
    own = {"event": alarm.event, "alarm_phonenumber": "", "alarm_email": "", "beside": alarm}
    return create(alarm.owner_id, {**copied, **own}, now)


def besides(alarm_ids: Sequence[int]) -> list[Alarm]:
    """Return the alarms for carers that go beside these."""
    rows = Alarm.select().where(Alarm.beside.in_(alarm_ids), Alarm.deleted.is_null())
    return list(rows.order_by(Alarm.id))


def change(
    alarm: Alarm,
    values: Mapping[str, Any],
    status: int | None,
    now: datetime,
    *,
    by_hand: bool = True,
) -> None:
    """Edit an alarm. If `status` differs from the current status, it cancels or re-arms the alarm.

    An edit of a parent's alarm also changes its copies. A copy that was edited itself no longer
    follows the parent. `by_hand`: not by the source of its event.

    Raises Invalid. Raises Conflict if the edit would falsify the history of the attempts.
    """
    before, old_hours, old_event = _wanted_at(alarm), hours(alarm), alarm.event_id
    region = regions.of_event(values.get("event", alarm.event))
    values = following.changed(alarm, numbers.columns(values, numbers.OF_ALARM, region))
    _check_history(alarm, values)
    by_hand = alarm.by_hand or (by_hand and _is_changed(alarm, values, status))
    detached = alarm.origin_id is not None
    crud.change(alarm, {**values, "detached": detached, "by_hand": by_hand})
    if "alarm_phonenumber" in values:
        # A waiting attempt may have waited until the old number was free.
        AlarmRequest.update(waits_for=0).where(AlarmRequest.alarm == alarm.id).execute()
        wake("dialing")
    event = alarm.event
    if event.id != old_event:
        users.setting_of(event.calendar.user)
    settled = alarm.status == AlarmStatus.CANCELLED and alarm.status_reason == Reason.SETTLED
    if status == AlarmStatus.CANCELLED and settled and not values:
        # From now on it stays cancelled if its event moves.
        put(alarm, status_reason=Reason.CANCELLED)
        record(alarm.id, TimelineWord.CANCELLED, Reason.CANCELLED, at=now)
    elif status is not None and status != alarm.status:
        _set_status(alarm, event, status, now)
    elif alarm.status in UNSETTLED and _wanted_at(alarm) != before:
        reschedule([alarm], event, now)
    elif hours(alarm) != old_hours:
        attempts.reconsider([alarm.id])
    if "method" in values and alarm.status in UNSETTLED and not alarm.counted_on:
        crud.change(alarm, {"counted_on": quota.day_of(alarm, event, moment(alarm, event))})
    same_moment.release([old_event, event.id], now)
    parents.edited([old_event, event.id], now)


def _is_changed(alarm: Alarm, values: Mapping[str, Any], status: int | None) -> bool:
    """Whether an edit says anything new: what was read may be written back as it is."""
    new = {name: getattr(value, "id", value) for name, value in values.items()}
    return status not in (None, alarm.status) or any(
        alarm.__data__.get(name) != value for name, value in new.items()
    )


def hours(alarm: Alarm) -> tuple[object, ...]:
    """Return the values of the alarm that decide when a waiting attempt may be made."""
    lateness = (alarm.max_lateness, alarm.missed_policy)
    recipient = (alarm.alarm_phonenumber, alarm.alarm_email, alarm.method)
    return alarm.daily_start, alarm.daily_stop, alarm.timezone, *lateness, *recipient


def _check_history(alarm: Alarm, values: Mapping[str, Any]) -> None:
    if alarm.status in UNSETTLED or not alarm.num_attempt:
        return
    for name in _IN_HISTORY:
        if name in values and values[name] != getattr(alarm, name):
            raise Conflict(
                f"The alarm was carried out, so its {name} stays as it was; make another alarm."
            )


def _wanted_at(alarm: Alarm) -> tuple[int, ...]:
    offset = (alarm.offset, alarm.offset_elapsed, alarm.offset_fold)
    return alarm.event_id, *offset, alarm.advance_notice


def _set_status(alarm: Alarm, event: Event, status: int, now: datetime) -> None:
    if status == AlarmStatus.CANCELLED and alarm.status in UNSETTLED:
        beside = [other for other in besides([alarm.id]) if other.status in UNSETTLED]
        cancel([alarm, *beside], Reason.CANCELLED, now)
        return
    try:
        if status != AlarmStatus.PENDING or alarm.status in _ATTEMPTING:
            raise IllegalTransition
        if is_over(alarm, event, now):
            raise Invalid({"status": ["the alarm is over; move its event into the future first"]})
        move(alarm, AlarmStatus.PENDING, status_reason="")
    except IllegalTransition:
        words = {number.value: number.name for number in AlarmStatus}
        raise Invalid(
            {
                "status": [
                    f"{words[alarm.status]} cannot be made {words.get(status, status)}; 7 cancels"
                    " an unfinished alarm, 1 takes up a missed or cancelled one, and"
                    " POST alarm-request/ asks for one more attempt"
                ]
            }
        ) from None
    record(alarm.id, TimelineWord.REARMED, at=now)
    admit(alarm, event)


def event_moved(event: Event, now: datetime) -> None:
    """Move the alarms of an event that has a new start.

    Alarms that were called off because another alarm was answered come due again: that answer
    belongs to the old time. What a client called off stays called off.
    """
    reschedule(Alarm.select().where(Alarm.event == event.id, WANTED).order_by(Alarm.id), event, now)
    if event.status == EventStatus.COMPLETED:
        return
    settled = (Alarm.event == event.id) & (Alarm.status_reason == Reason.SETTLED)
    settled &= (Alarm.status == AlarmStatus.CANCELLED) | Alarm.called_off.is_null(False)
    for alarm in Alarm.select().where(settled, Alarm.deleted.is_null()).order_by(Alarm.id):
        if is_over(alarm, event, now):
            continue
        if alarm.status == AlarmStatus.CANCELLED:
            move(alarm, AlarmStatus.PENDING, status_reason="")
        else:
            put(alarm, status_reason="", called_off=None)
        record(alarm.id, TimelineWord.REARMED, "its event was moved after the answer", at=now)
        admit(alarm, event)


def reschedule(alarms: Iterable[Alarm], event: Event, now: datetime) -> None:
    """Move the unfinished `alarms` to a new time, after their event or they themselves were edited.

    An alarm that is then due in the future is pending again. Its waiting attempt is cancelled.
    """
    for alarm in alarms:
        if alarm.called_off:
            continue
        due = moment(alarm, event)
        if due > now and alarm.status in _ATTEMPTING:
            _withdraw([alarm.id], Reason.RESCHEDULED)
            _hang_up([alarm.id], now)
            record(alarm.id, TimelineWord.RESCHEDULED, f"due {due:%Y-%m-%d %H:%M:%S}Z", at=now)
        schedule(alarm, event)


def hold(alarms: Sequence[Alarm], now: datetime) -> None:
    """Hold the alarms of a paused event: cancel waiting attempts and hang up ringing calls."""
    # Requests before alarms, as in claiming and settling: the same order avoids deadlocks.
    for ids in _ids(alarms):
        _withdraw(ids, Reason.EVENT_PAUSED)
        _hang_up(ids, now)
        Alarm.update(due=None).where(Alarm.id.in_(ids)).execute()
    for alarm in alarms:
        record(alarm.id, TimelineWord.PAUSED, Reason.EVENT_PAUSED, at=now)


def resume(alarms: Iterable[Alarm], event: Event, now: datetime) -> None:
    """Schedule the alarms of a resumed event again. Alarms that expired meanwhile are missed."""
    for alarm in alarms:
        if alarm.status == AlarmStatus.PENDING and is_over(alarm, event, now):
            move(alarm, AlarmStatus.MISSED, status_reason=Reason.EVENT_PAUSED)
            record(alarm.id, TimelineWord.MISSED, "was over before its event was resumed", at=now)
        else:
            schedule(alarm, event)
            record(alarm.id, TimelineWord.RESUMED, at=now)


def cancel(alarms: Sequence[Alarm], reason: str, now: datetime) -> None:
    """Cancel the unfinished alarms for good.

    Ringing calls are hung up. An answered call goes on, and its result is kept.
    """
    for ids in _ids(alarms):
        _call_off_requests(ids, reason)
        _hang_up(ids, now)
        # Ringing alarms get the reason too: it applies when they are hung up.
        Alarm.update(due=None, status_reason=reason).where(Alarm.id.in_(ids)).execute()
        ring_on = {row.alarm_id for row in _ringing(ids)}
        Alarm.update(called_off=now).where(Alarm.id.in_(list(ring_on))).execute()
        still = [alarm_id for alarm_id in ids if alarm_id not in ring_on]
        Alarm.update(status=AlarmStatus.CANCELLED).where(
            Alarm.id.in_(still), Alarm.status.in_(UNSETTLED)
        ).execute()
        words = {True: TimelineWord.CALLED_OFF, False: TimelineWord.CANCELLED}
        record_all(Entry(one, words[one in ring_on], reason, at=now) for one in ids)
    for owner_id in {alarm.owner_id for alarm in alarms}:
        limits.freed(owner_id, WAITING)
    same_moment.release([alarm.event_id for alarm in alarms], now)


def delete(alarms: Sequence[Alarm], now: datetime) -> None:
    """Hide the alarms and cancel the unfinished ones. The log of their calls is kept.

    The alarms for carers that go beside them are hidden too.
    """
    known = {alarm.id for alarm in alarms}
    for ids in _ids(alarms):
        alarms = [*alarms, *(other for other in besides(ids) if other.id not in known)]
    cancel([alarm for alarm in alarms if alarm.status in UNSETTLED], Reason.DELETED, now)
    for ids in _ids(alarms):
        Alarm.update(deleted=now, due=None).where(Alarm.id.in_(ids)).execute()
    ended = [alarm.id for alarm in alarms if alarm.status not in UNSETTLED]
    record_all(Entry(one, TimelineWord.DELETED, at=now) for one in ended)
    parents.edited([alarm.event_id for alarm in alarms], now)


def delete_by_hand(alarm: Alarm, now: datetime) -> None:
    """Hide an alarm for a client. A reminder plan or source that made it does not do so again."""
    crud.change(alarm, {"by_hand": True})
    delete([alarm], now)


def attempt(alarm: Alarm, date: datetime, now: datetime) -> AlarmRequest:
    """Return one more attempt, requested by hand.

    The alarm's result is reset to none: the new answer becomes its result. Raises Conflict if the
    event is paused, or if an attempt is waiting or in process.
    """
    if alarm.event.status == EventStatus.PAUSED:
        raise Conflict("The event is paused; set its status to 1 first.")
    unfinished = AlarmRequest.status.in_([AlarmStatus.PENDING, AlarmStatus.IN_PROCESS])
    if AlarmRequest.select().where(AlarmRequest.alarm == alarm.id, unfinished).exists():
        raise Conflict("An attempt of this alarm waits or is being made already.")
    # Requested by hand: without a due time, the attempt has no expiry.
    crud.change(alarm, {"due": None, "result": AlarmResult.NONE})
    quota.another_attempt(alarm, date)
    if alarm.status not in UNSETTLED:
        quota.wait(alarm)
    return attempts.enqueue(alarm, date, now)


def change_attempt(
    request: AlarmRequest, date: datetime | None, status: int | None, now: datetime
) -> None:
    """Move a waiting attempt, or cancel it and its alarm.

    The current date changes nothing. The API shows dates to the millisecond, so smaller differences
    are ignored. Raises Conflict if the attempt is not waiting, Invalid if `status` is not allowed.
    """
    if request.status != AlarmStatus.PENDING:
        raise Conflict("Only an attempt that still waits can be changed; the log stands.")
    if status not in (None, AlarmStatus.PENDING, AlarmStatus.CANCELLED):
        raise Invalid({"status": ["only 7 (cancel) can be set"]})
    alarm = request.alarm
    if status == AlarmStatus.CANCELLED:
        move(request, AlarmStatus.CANCELLED, status_reason=Reason.CANCELLED)
        # A copy does not follow its parent any more: an edit there must not take it up again.
        columns = {"due": None, "detached": alarm.origin_id is not None}
        move(alarm, AlarmStatus.CANCELLED, status_reason=Reason.CANCELLED, **columns)
        record(
            alarm.id, TimelineWord.CANCELLED, "the waiting attempt", request_id=request.id, at=now
        )
        same_moment.release([alarm.event_id], now)
    elif date is not None and abs(date - request.date) >= timedelta(milliseconds=1):
        quota.moved_attempt(alarm, request.date, date)
        put(request, date=date, status_reason=Reason.MOVED)
        record(
            alarm.id,
            TimelineWord.MOVED,
            f"to {date:%Y-%m-%d %H:%M:%S}Z",
            request_id=request.id,
            at=now,
        )
    wake("dialing")


def call_off_waiting(alarm_id: int, reason: str) -> None:
    """Cancel the waiting attempts of the alarm, because another call of it is up."""
    _call_off_requests([alarm_id], reason)


def take_back(alarm_id: int, now: datetime) -> None:
    """Hang up the unanswered calls of the alarm, because the callee rings back."""
    Alarm.update(status_reason=Reason.CALLED_BACK).where(
        Alarm.id == alarm_id, Alarm.status.in_(_ATTEMPTING), Alarm.called_off.is_null()
    ).execute()
    _hang_up([alarm_id], now)


def answered(alarm_id: int, now: datetime) -> None:
    """Call off the attempts of the alarm, because an answer came in after an earlier attempt."""
    _call_off_requests([alarm_id], Reason.ANSWERED)
    Alarm.update(status_reason=Reason.ANSWERED).where(Alarm.id == alarm_id).execute()
    _hang_up([alarm_id], now)


def _withdraw(ids: list[int], reason: str) -> None:
    """Cancel the waiting attempts. Their alarms are pending again, unless they ring."""
    _call_off_requests(ids, reason)
    Alarm.update(status=AlarmStatus.PENDING).where(
        Alarm.id.in_(ids), Alarm.status.in_(_ATTEMPTING), Alarm.id.not_in(_ringing(ids))
    ).execute()


def _call_off_requests(ids: list[int], reason: str) -> None:
    AlarmRequest.update(status=AlarmStatus.CANCELLED, status_reason=reason).where(
        AlarmRequest.alarm.in_(ids), AlarmRequest.status == AlarmStatus.PENDING
    ).execute()


def _hang_up(ids: list[int], now: datetime) -> None:
    """Withdraw the calls and messages of these alarms.

    The worker that placed an unanswered call hangs it up. An answered call goes on. No retry
    follows if it fails. Waiting messages are not sent. No retry follows if a message that is
    being sent fails.
    """
    outbox.withdraw(ids, now, sending=True)
    CallRequest.update(withdrawn=now).where(
        CallRequest.alarm.in_(ids), CallRequest.ended.is_null(), CallRequest.withdrawn.is_null()
    ).execute()
    wake("dialing")


def _ringing(ids: list[int]) -> "ModelSelect[AlarmRequest]":
    return AlarmRequest.select(AlarmRequest.alarm).where(
        AlarmRequest.alarm.in_(ids), AlarmRequest.status == AlarmStatus.IN_PROCESS
    )


def _ids(alarms: Sequence[Alarm]) -> Iterator[list[int]]:
    return crud.chunks([alarm.id for alarm in alarms])
