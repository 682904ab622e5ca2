"""Alarms for the same moment: two alarms of one event that would reach one recipient at once.

A calendar file has an EMAIL and a DISPLAY alarm, or a client creates an alarm twice. Only the first
of them goes out. The others wait for it, and end as it ends. If the first is called off before,
the next one goes out.

Alarms that say different things are not the same: each goes out.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from peewee import Expression, fn

from telealarm import methods
from telealarm.methods.base import Address
from telealarm.models import Alarm, AlarmRequest
from telealarm.rules import phone
from telealarm.store import numbers
from telealarm.store.alarms import attempts, eligibility
from telealarm.store.engine import crud
from telealarm.store.engine.database import wake
from telealarm.store.engine.prepared import Each, Prepared
from telealarm.words import AT_ONCE, UNSETTLED, AlarmStatus, Reason

# How often a waiting alarm is checked again. It is also checked when the first one ends.
CHECKED = timedelta(seconds=30)


def firsts(alarms: Sequence[Alarm]) -> dict[int, int]:
    """Return the alarms among these that wait for another one: their ids, each with the first's."""
    due = [one for one in alarms if one.due is not None and not one.num_attempt]
    due = not_alone([one for one in due if one.recipient])
    if not due:
        return {}
    rows = Alarm.select().where(
        Alarm.event.in_({alarm.event_id for alarm in due}),
        _may_reach_the_same(due),
        Alarm.due.is_null(False),
        Alarm.status.in_(UNSETTLED),
        Alarm.called_off.is_null(),
        Alarm.deleted.is_null(),
    )
    return among(due, list(rows))


def not_alone(alarms: Sequence[Alarm]) -> list[Alarm]:
    """Return those of the alarms whose event has another alarm. Most events have one."""
    counts = dict(_ALARMS_OF.tuples(events=sorted({alarm.event_id for alarm in alarms})))
    return [alarm for alarm in alarms if counts[alarm.event_id] > 1]


_ALARMS_OF = Prepared(
    Alarm,
    lambda: (
        Alarm.select(Alarm.event, fn.COUNT(Alarm.id))
        .where(Each("events", Alarm.event))
        .group_by(Alarm.event)
    ),
)


def among(alarms: Iterable[Alarm], others: Sequence[Alarm]) -> dict[int, int]:
    """Return the `alarms` that wait for one of the `others`: their ids, each with the first's."""
    rows: defaultdict[object, list[Alarm]] = defaultdict(list)
    for row in others:
        rows[_reach(row)].append(row)
    waiting = {}
    for alarm in alarms:
        before = [row.id for row in rows[_reach(alarm)] if row.id < alarm.id and _alike(row, alarm)]
        if before:
            waiting[alarm.id] = min(before)
    return waiting


def is_same(first: Alarm, other: Alarm) -> bool:
    """Return whether both would reach the same recipient at the same moment with the same words."""
    return _reach(first) == _reach(other) and _alike(first, other)


def waiting_for(alarm: Alarm) -> list[Alarm]:
    """Return the alarms that wait for this one."""
    if alarm.due is None:
        return []
    rows = Alarm.select().where(
        Alarm.event == alarm.event_id,
        _may_reach_the_same([alarm]),
        Alarm.id > alarm.id,
        Alarm.due == alarm.due,
        Alarm.num_attempt == 0,
        Alarm.status.in_([AlarmStatus.PENDING, AlarmStatus.IN_PROCESS]),
        Alarm.called_off.is_null(),
        Alarm.deleted.is_null(),
    )
    return [row for row in rows.order_by(Alarm.id) if is_same(alarm, row)]


def ended_as(alarm: Alarm) -> list[Alarm]:
    """Return the alarms that ended as this one did."""
    rows = Alarm.select().where(
        Alarm.event == alarm.event_id,
        _may_reach_the_same([alarm]),
        Alarm.id > alarm.id,
        Alarm.status_reason == Reason.SAME_MOMENT,
        Alarm.deleted.is_null(),
    )
    return [row for row in rows.order_by(Alarm.id) if is_same(alarm, row)]


def wait(request: AlarmRequest, first_id: int, now: datetime) -> None:
    """Let an attempt wait for the end of the first alarm."""
    why = f"alarm {first_id} is for the same moment; this alarm ends as that one does"
    attempts.defer(request, now + CHECKED, Reason.SAME_MOMENT, why)


def release(event_ids: Iterable[int], now: datetime) -> None:
    """Check the waiting alarms of these events again, because one of their alarms was changed."""
    for ids in crud.chunks(sorted(set(event_ids))):
        AlarmRequest.update(date=now).where(
            AlarmRequest.alarm.in_(Alarm.select(Alarm.id).where(Alarm.event.in_(ids))),
            AlarmRequest.status == AlarmStatus.PENDING,
            AlarmRequest.status_reason == Reason.SAME_MOMENT,
        ).execute()
    wake("dialing")


def _may_reach_the_same(alarms: Sequence[Alarm]) -> Expression:
    """Return a condition for rows, so that a crowd on one event is not read to find two alarms.

    It leaves out other phone numbers. Mail addresses are compared without regard to case, which
    databases do differently, so all alarms of such a method pass.
    """
    methods_by_mail = {alarm.method for alarm in alarms if not _by_phone(alarm)}
    called = [numbers.of_alarm(alarm) for alarm in alarms if _by_phone(alarm)]
    forms = {form for number in called for form in numbers.spellings(number)}
    return (
        Alarm.alarm_e164.in_(forms)
        | Alarm.alarm_phonenumber.in_(forms)
        | Alarm.method.in_(methods_by_mail)
    )


def _reach(alarm: Alarm) -> tuple[object, ...]:
    """Return when and where the alarm reaches its recipient, and what may put it off."""
    moment: tuple[object, ...] = (alarm.offset - alarm.advance_notice,)
    if alarm.trigger in AT_ONCE:
        moment = alarm.trigger, alarm.created_date
    hours = alarm.daily_start, alarm.daily_stop, alarm.timezone
    return alarm.event_id, alarm.method, moment, hours, _recipient(alarm)


def _alike(first: Alarm, other: Alarm) -> bool:
    """Return whether both say the same to the recipient, who is the same."""
    return first.about_id is None and other.about_id is None and _words(first) == _words(other)


def _by_phone(alarm: Alarm) -> bool:
    return methods.of(alarm.method).address is Address.PHONE


def _recipient(alarm: Alarm) -> str:
    if not _by_phone(alarm):
        return alarm.recipient.strip().casefold()
    return phone.normal(numbers.of_alarm(alarm).outgoing)


def _words(alarm: Alarm) -> tuple[object, ...]:
    """Return what decides what the recipient hears or reads, beside the event."""
    if not methods.of(alarm.method).uses_channel:
        return alarm.mail_template_id, alarm.sms_template_id, alarm.language
    if alarm.survey_id is not None:
        return alarm.survey_id, alarm.language
    setting = eligibility.setting_of(alarm)
    return setting.survey_id if setting else None, alarm.language
