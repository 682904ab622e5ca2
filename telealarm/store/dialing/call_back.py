"""Inbound calls by callees: find their alarm, and make their channel a call of this alarm."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from telealarm import methods
from telealarm.models import (
    Alarm,
    AlarmRequest,
    Calendar,
    CallRequest,
    Event,
    Section,
    Survey,
)
from telealarm.rules import phone
from telealarm.store import numbers
from telealarm.store.alarms import alarms, attempts, eligibility, same_moment
from telealarm.store.dialing import calls
from telealarm.store.dialing.calls import Call
from telealarm.store.engine import read_cache, recipients, regions
from telealarm.store.engine.claim import Holder
from telealarm.store.engine.timeline import record
from telealarm.store.engine.transition import move, put
from telealarm.store.outcome import apply, sources
from telealarm.store.webhooks import webhooks
from telealarm.words import (
    UNSETTLED,
    AlarmResult,
    AlarmStatus,
    CallStatus,
    Change,
    EventStatus,
    Reason,
    TimelineWord,
)

# Of the alarms that are not over or cancelled, this many are checked.
_LOOKED_AT = 50


@dataclass(frozen=True)
class CallBack:
    """An alarm for the caller. `asks_pin`: the caller must key its PIN before hearing about it."""

    alarm_id: int
    title: str
    language: str
    asks_pin: bool


def find(number: str, calendar_id: int | None, now: datetime) -> CallBack | None:
    """Return the latest open alarm for `number`, or None.

    It was attempted or is due, has no result, and its event is not over. `calendar_id` limits it to
    one calendar. If no alarm has exactly this number, the search ignores the country code.
    """
    read = numbers.known(number, _region(calendar_id))
    alarm = _latest(numbers.spellings(read), calendar_id, now)
    if alarm is None:
        alarm = _latest(_elsewhere(read.outgoing), calendar_id, now)
    if alarm is None:
        return None
    first = same_moment.firsts([alarm]).get(alarm.id)
    alarm = alarm if first is None else Alarm.get_by_id(first)
    setting = eligibility.setting_of(alarm)
    assert setting is not None
    survey = alarm.survey or setting.survey
    language = recipients.language(alarm) or survey.tts_language
    return CallBack(alarm.id, alarm.event.title, language, setting.callback_pin)


def take_back(alarm_id: int, now: datetime) -> bool:
    """Cancel outbound calls: the callee is on the line. Return True when no call is up."""
    alarms.take_back(alarm_id, now)
    return not _being_made(alarm_id)


def answer(alarm_id: int, channel_id: str, holder: Holder, now: datetime) -> Call | None:
    """Make the caller's channel an answered call of the alarm. Waiting attempts are cancelled.

    Returns None if the alarm needs no answer any more, or has another call.
    """
    alarm = Alarm.get_by_id(alarm_id)
    setting = eligibility.setting_of(alarm)
    wanted = alarm.result == AlarmResult.NONE and not alarms.is_called_off(alarm)
    if not wanted or setting is None or alarm.deleted or _being_made(alarm_id):
        return None
    alarms.call_off_waiting(alarm_id, Reason.CALLED_BACK)
    request = attempts.enqueue(alarm, now, now, why="the callee rang back")
    move(request, AlarmStatus.IN_PROCESS, worker=holder.name, fence=holder.fence)
    gateway = setting.aleg_gateway
    row = CallRequest.create(
        owner=alarm.owner_id,
        request=request,
        alarm=alarm,
        inbound=True,
        aleg_uuid=channel_id,
        call_time=now,
        phone_number=alarm.alarm_phonenumber,
        # No outbound call goes to this number meanwhile.
        dialled=numbers.route(gateway, setting).dialled(numbers.of_alarm(alarm)),
        endpoint="",
        gateway=gateway,
        survey=alarm.survey or setting.survey,
        num_attempt=alarm.num_attempt,
        worker=holder.name,
        fence=holder.fence,
    )
    move(row, CallStatus.CALLING, started=now, last_attempt_time=now, answered=now)
    record(
        alarm_id,
        TimelineWord.CALLED_BACK,
        f"from {alarm.alarm_phonenumber}",
        request_id=request.id,
        at=now,
    )
    return calls.describe(row)


def confirm(alarm_id: int, key: int, now: datetime) -> str:
    """Record the callee's answer that came without a call. Return why it is refused, or "".

    `key` must be a key of a rating in the alarm's survey.
    """
    alarm = Alarm.get_by_id(alarm_id)
    setting = eligibility.setting_of(alarm)
    if setting is None or alarm.result != AlarmResult.NONE or _being_made(alarm_id):
        return "it is being answered"
    if str(key) == alarm.snooze_key or not _is_offered(alarm.survey or setting.survey, str(key)):
        return "its survey has no such key"
    alarms.call_off_waiting(alarm_id, Reason.CALLED_BACK)
    request = attempts.enqueue(alarm, now, now, why="confirmed without a call")
    move(request, AlarmStatus.IN_PROCESS)
    put(alarm, result=key)
    record(alarm_id, TimelineWord.KEY, str(key), request_id=request.id, at=now)
    webhooks.tell(alarm, Change.RESULT, now, request)
    sources.answered([alarm], now)
    apply.settle_others(alarm, now)
    apply.succeed(request, now)
    return ""


def _is_offered(survey: Survey, key: str) -> bool:
    kinds = [section.kind for section in Section.select().where(Section.survey == survey.id)]
    ratings = [kind.answers() for kind in kinds if kind.rates]
    return any(answers is not None and answers.takes(key) for answers in ratings)


def _elsewhere(number: str) -> set[str]:
    """Return the alarms' numbers that equal `number` apart from the country code.

    600100200 and +34600100200 are such numbers. Returns none if they are of two countries: then
    the caller is not known.
    """
    end = phone.national(number)
    if end is None:
        return set()
    written = Alarm.select(Alarm.alarm_phonenumber).where(Alarm.alarm_phonenumber.endswith(end))
    candidates = {row.alarm_phonenumber for row in written.distinct()}
    candidates = {candidate for candidate in candidates if phone.same(candidate, number)}
    alike = all(phone.same(candidate, other) for candidate, other in combinations(candidates, 2))
    return candidates if alike else set()


def _region(calendar_id: int | None) -> str | None:
    """Return the region of the callers of a calendar."""
    calendar = None if calendar_id is None else Calendar.get_or_none(Calendar.id == calendar_id)
    if calendar is None:
        return regions.configured()
    return regions.of_profile(read_cache.profile_of(calendar.user_id), calendar.owner_id)


def _latest(forms: Collection[str], calendar_id: int | None, now: datetime) -> Alarm | None:
    attempted = (Alarm.num_attempt > 0) | (Alarm.due <= now)
    query = (
        Alarm.select(Alarm, Event)
        .join(Event)
        .where(
            Alarm.alarm_phonenumber.in_(forms) | Alarm.alarm_e164.in_(forms),
            Alarm.method.in_(methods.on_channel()),
            Alarm.result == AlarmResult.NONE,
            Alarm.status != AlarmStatus.CANCELLED,
            Alarm.called_off.is_null(),
            Alarm.deleted.is_null(),
            attempted,
            Event.deleted.is_null(),
            Event.status == EventStatus.PENDING,
            Event.end > now,
        )
    )
    if calendar_id is not None:
        query = query.where(Event.calendar == calendar_id)
    candidates: list[Alarm] = list(query.order_by(Alarm.id.desc()).limit(_LOOKED_AT))
    candidates = [alarm for alarm in candidates if eligibility.setting_of(alarm) is not None]
    return max(candidates, key=_order, default=None)


def _order(alarm: Alarm) -> tuple[bool, datetime, int]:
    """Order alarms that still wait for an answer first, then by when they were due."""
    return alarm.status in UNSETTLED, alarms.moment(alarm, alarm.event), alarm.id


def _being_made(alarm_id: int) -> bool:
    return (
        AlarmRequest.select()
        .where(AlarmRequest.alarm == alarm_id, AlarmRequest.status == AlarmStatus.IN_PROCESS)
        .exists()
    )
