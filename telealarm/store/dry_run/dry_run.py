"""The dry run: which alarms would go out, when, and what would become of them. Reads only.

The decisions are those of rules.moment, which admission acts on when the time has come.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from peewee import JOIN

from telealarm import methods
from telealarm.errors import RecurrenceError
from telealarm.methods.base import AlarmMethod
from telealarm.models import (
    Alarm,
    AlarmRequest,
    Calendar,
    CalendarSetting,
    CalendarUserProfile,
    Event,
    Gateway,
    Rule,
    SmsGateway,
    User,
)
from telealarm.models.gateway import ACTIVE
from telealarm.rules import dates, eligibility
from telealarm.rules.eligibility import Verdict
from telealarm.rules.recurrence import Occurrence
from telealarm.store import do_not_call
from telealarm.store.access import visibility
from telealarm.store.alarms import eligibility as alarms_eligibility
from telealarm.store.calendars import children, series
from telealarm.store.engine import crud, time_zones
from telealarm.store.messages.compose import gateway_context
from telealarm.store.outcome import failover
from telealarm.words import AlarmStatus, ClockChange, EventStatus, PlanAction, Reason

_TICK = datetime.resolution


@dataclass(frozen=True)
class Entry:
    """An attempt that comes due `at`. `start`, `end` and `local` (its wall time) are of an
    occurrence without an event of its own yet; the alarm is then that of its parent.
    """

    at: datetime
    alarm_id: int
    start: datetime | None = None
    end: datetime | None = None
    local: datetime | None = None


@dataclass(frozen=True)
class Planned:
    """What would become of an attempt.

    `action` is the name of its method, or defer or skip, and `why` its reason in one word. `until`
    is when a deferred one could be made. `gateway` is the name of the trunk that it would take, if
    any.
    `change`: the clock of `zone` is put on or back over the start of its event.
    """

    at: datetime
    alarm_id: int
    event_id: int
    title: str
    number: str
    method: int
    action: str
    why: str
    until: datetime | None
    gateway: str | None
    start: datetime
    zone: ZoneInfo
    change: ClockChange | None

    @property
    def leaves(self) -> datetime | None:
        """When it would be made, which it may not be."""
        if self.action == PlanAction.SKIP:
            return None
        return self.until if self.action == PlanAction.DEFER else self.at


def entries(
    login: User, now: datetime, after: datetime, before: datetime, most: int
) -> list[Entry]:
    """The first `most` attempts that come due from `after` to `before`, in order.

    What is owed already comes due `now`; nothing is before that.
    """
    found = [
        *_waiting(login, now, before, most),
        *_pending(login, now, before, most),
        *_paused(login, now, before, most),
    ]
    found = _first(found, after, most)
    for parent in _parents(login):
        # What lies behind the last of so many need not be looked for.
        until = found[-1].at if len(found) == most else before
        found += _ahead(parent, max(now, after), until, most)
        if len(found) > 2 * most:
            found = _first(found, after, most)
    return _first(found, after, most)


def decided(found: Sequence[Entry]) -> Iterator[Planned]:
    """What would become of each, as things are."""
    for chunk in crud.chunks(found):
        by_id = {
            alarm.id: alarm
            for alarm in Alarm.select(Alarm, Event, Calendar)
            .join(Event)
            .join(Calendar)
            .where(Alarm.id.in_({entry.alarm_id for entry in chunk}))
        }
        profiles = _profiles({alarm.event.calendar.user_id for alarm in by_id.values()})
        forbidden = do_not_call.forbidden(list(by_id.values()))
        for entry in chunk:
            alarm = by_id.get(entry.alarm_id)
            if alarm is not None:
                profile = profiles.get(alarm.event.calendar.user_id)
                yield _decide(entry, alarm, profile, alarm.id in forbidden)


def _decide(
    entry: Entry,
    alarm: Alarm,
    profile: CalendarUserProfile | None,
    forbidden: bool,
) -> Planned:
    if entry.start is not None and entry.end is not None:
        alarm = _occurring(alarm, entry.start, entry.end, entry.at)
    bound = alarms_eligibility.of(alarm, profile, forbidden=forbidden)
    decision = eligibility.decide(bound, entry.at)
    setting = profile.calendar_setting if profile else None
    method = methods.of(alarm.method)
    gateway = setting.aleg_gateway if setting and method.uses_channel else None
    word = {Verdict.GO: method.name, Verdict.WAIT: PlanAction.DEFER}
    action, why = word.get(decision.action, PlanAction.SKIP), decision.reason
    if alarm.event.status == EventStatus.PAUSED:
        action, why = PlanAction.SKIP, Reason.EVENT_PAUSED
    elif decision.action is Verdict.GO and (refusal := _refusal(method, setting)):
        action, why = PlanAction.SKIP, refusal
    elif action != PlanAction.SKIP and gateway is not None:
        gateway = failover.way_out(gateway, (), alarm.alarm_phonenumber) or gateway
        if not failover.takes(gateway, alarm.alarm_phonenumber):
            action, why = PlanAction.SKIP, Reason.WRONG_NUMBER
        elif gateway.status != ACTIVE:
            action, why = PlanAction.DEFER, Reason.GATEWAY_INACTIVE
    zone = time_zones.of_event(alarm.event, profile)
    local = entry.local or _said(alarm.event, zone)
    change = dates.clock_change(alarm.event.start, zone, local)
    return Planned(
        at=entry.at,
        alarm_id=alarm.id,
        event_id=alarm.event_id,
        title=alarm.event.title,
        number=alarm.alarm_phonenumber,
        method=alarm.method,
        action=action,
        why=why,
        until=decision.until,
        gateway=gateway.name if gateway else None,
        start=alarm.event.start,
        zone=zone,
        change=change,
    )


def _refusal(method: AlarmMethod, setting: CalendarSetting | None) -> str:
    gateway = setting.sms_gateway if setting and method.uses_gateway else None
    return method.refusal(gateway_context(gateway))


def _first(found: list[Entry], after: datetime, most: int) -> list[Entry]:
    there = (entry for entry in found if entry.at >= after)
    return sorted(there, key=lambda entry: (entry.at, entry.alarm_id))[:most]


def _waiting(login: User, now: datetime, before: datetime, most: int) -> Iterator[Entry]:
    """Attempts that were made already, deferred ones and retries among them."""
    query = (
        visibility.ids(login, AlarmRequest)
        .columns(AlarmRequest.date, AlarmRequest.alarm)
        .where(AlarmRequest.status == AlarmStatus.PENDING, AlarmRequest.date < before)
        .order_by(AlarmRequest.date)
        .limit(most)
    )
    for date, alarm_id in query.tuples().execute():
        yield Entry(max(date, now), alarm_id)


def _pending(login: User, now: datetime, before: datetime, most: int) -> Iterator[Entry]:
    query = (
        visibility.ids(login, Alarm)
        .columns(Alarm.due, Alarm.id)
        .where(Alarm.status == AlarmStatus.PENDING, Alarm.due < before)
        .order_by(Alarm.due)
        .limit(most)
    )
    for due, alarm_id in query.tuples().execute():
        yield Entry(max(due, now), alarm_id)


def _paused(login: User, now: datetime, before: datetime, most: int) -> Iterator[Entry]:
    """Alarms of events that are paused and not over; they have no due time."""
    query = (
        visibility.rows(login, Alarm)
        .where(
            Alarm.status == AlarmStatus.PENDING,
            Alarm.due.is_null(),
            Event.status == EventStatus.PAUSED,
            Event.end > now,
        )
        .order_by(Event.start)
        .limit(most)
    )
    for alarm in query:
        ahead = timedelta(seconds=alarm.offset - alarm.advance_notice)
        at = max(alarm.event_start + ahead, now)
        if at < before:
            yield Entry(at, alarm.id)


def _parents(login: User) -> Iterator[Event]:
    """The events that recur."""
    query = Event.select(Event, Rule, Calendar).join(Rule).switch(Event).join(Calendar)
    return iter(
        query.where(
            Event.id.in_(visibility.ids(login, Event)),
            Event.rule.is_null(False),
            Event.parent_event.is_null(),
            Event.children_status != EventStatus.COMPLETED,
        )
    )


def _ahead(parent: Event, since: datetime, before: datetime, most: int) -> Iterator[Entry]:
    """The alarms of those occurrences that have no event yet."""
    templates = children.templates(parent)
    if not templates:
        return
    leads = [timedelta(seconds=one.offset - one.advance_notice) for one in templates]
    made_to = max(parent.start, parent.made_to or parent.start)
    try:
        found = series.of(parent)
        if found is None:
            return
        first = max(made_to + _TICK, since - max(leads))
        occurrences = found.occurrences(first, before - min(leads), most)
    except (RecurrenceError, ValueError):
        return  # such a rule is refused when it is written
    there = {children.place(child) for child in children.known(parent.id, _starts(occurrences))}
    for occurrence in occurrences:
        if occurrence.start in there:
            continue  # moved or called off before its time; a child that is there is planned itself
        end = series.end_of(parent, occurrence, found)
        for template, lead in zip(templates, leads, strict=True):
            at = occurrence.start + lead
            if since <= at < before:
                yield Entry(at, template.id, occurrence.start, end, occurrence.local)


def _starts(occurrences: Sequence[Occurrence]) -> list[datetime]:
    return [occurrence.start for occurrence in occurrences]


def _occurring(alarm: Alarm, start: datetime, end: datetime, at: datetime) -> Alarm:
    """The alarm as it will be copied for an occurrence."""
    event = Event(**alarm.event.__data__)
    event.calendar = alarm.event.calendar
    event.start, event.end = start, end
    event.status = alarm.event.children_status
    copied = Alarm(**alarm.__data__)
    copied.event, copied.due, copied.num_attempt = event, at, 0
    return copied


def _said(event: Event, zone: ZoneInfo) -> datetime | None:
    """The wall time that the rule has for a child, where that may lie in a gap of the clock."""
    original = event.original_start
    if original is None or original != event.start or not dates.is_after_gap(original, zone):
        return None
    try:
        found = series.of(event.parent_event) if event.parent_event else None
        place = found.occurrences(original, original + _TICK, 1) if found else []
    except (RecurrenceError, ValueError):
        return None
    return place[0].local if place else None


def _profiles(users: set[int]) -> dict[int, CalendarUserProfile]:
    query = (
        CalendarUserProfile.select(CalendarUserProfile, CalendarSetting, Gateway, SmsGateway)
        .join(CalendarSetting, JOIN.LEFT_OUTER)
        .join(Gateway, JOIN.LEFT_OUTER, on=(CalendarSetting.aleg_gateway == Gateway.id))
        .switch(CalendarSetting)
        .join(SmsGateway, JOIN.LEFT_OUTER, on=(CalendarSetting.sms_gateway == SmsGateway.id))
        .where(CalendarUserProfile.user.in_(users))
    )
    return {profile.user_id: profile for profile in query}
