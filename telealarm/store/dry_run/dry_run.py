"""The dry run: which alarms would go out, when, and what would happen to them. It only reads.

The decisions come from rules.eligibility. Admission uses the same rules when an attempt is due.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from peewee import JOIN

from telealarm import methods
from telealarm.clock import utcnow
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
from telealarm.rules.contact_caps import ContactCaps
from telealarm.rules.eligibility import Eligibility
from telealarm.rules.recurrence import Occurrence
from telealarm.store import do_not_call
from telealarm.store.access import contact_caps, visibility
from telealarm.store.alarms import alarms, distance, same_moment
from telealarm.store.alarms import eligibility as alarms_eligibility
from telealarm.store.calendars import children, series
from telealarm.store.dialing.contacts import Contacts
from telealarm.store.engine import crud, time_zones
from telealarm.store.messages.compose import gateway_context
from telealarm.store.outcome import failover
from telealarm.words import AlarmStatus, ClockChange, EventStatus, PlanAction, Reason

_TICK = datetime.resolution
# More than any change of a clock.
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Entry:
    """An attempt that comes due `at`.

    `start`, `end` and `local` (the wall time) are those of an occurrence that has no event yet.
    The alarm is then that of the parent event.
    """

    at: datetime
    alarm_id: int
    start: datetime | None = None
    end: datetime | None = None
    local: datetime | None = None
    # It waits because of the caps for a person.
    is_capped: bool = False


@dataclass(frozen=True)
class Planned:
    """What would happen to an attempt.

    `action` is the name of its method, or defer or skip. `why` is its reason in one word. `until`
    is when a deferred attempt could be made. `gateway` is the name of the trunk that it would use,
    if any. `change`: the clock of `zone` is set forward or back at the start of the event.
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
        """Return when the attempt would be made; None if it would be skipped."""
        if self.action == PlanAction.SKIP:
            return None
        return self.until if self.action == PlanAction.DEFER else self.at


def entries(
    login: User, now: datetime, after: datetime, before: datetime, most: int
) -> list[Entry]:
    """Return the first `most` attempts that come due from `after` to `before`, in order.

    Overdue attempts come due `now`. No attempt comes due earlier.
    """
    due = [
        *_waiting(login, now, before, most),
        *_pending(login, now, before, most),
        *_paused(login, now, before, most),
    ]
    due = _first(due, after, most)
    for parent in _parents(login):
        # If there are enough attempts, later ones are not needed.
        until = due[-1].at if len(due) == most else before
        due += _ahead(parent, max(now, after), until, most)
        if len(due) > 2 * most:
            due = _first(due, after, most)
    return _first(due, after, most)


def decided(attempts: Sequence[Entry]) -> Iterator[Planned]:
    """Yield what would happen to each attempt, by the current data."""
    contacts = Contacts(utcnow())
    for chunk in crud.chunks(attempts):
        by_id = {
            alarm.id: alarm
            for alarm in Alarm.select(Alarm, Event, Calendar)
            .join(Event)
            .join(Calendar)
            .where(Alarm.id.in_({entry.alarm_id for entry in chunk}))
        }
        profiles = _profiles({alarm.event.calendar.user_id for alarm in by_id.values()})
        contacts.read(_caps(by_id.values()), by_id.values())
        forbidden = do_not_call.forbidden(list(by_id.values()))
        follows = same_moment.firsts([by_id[e.alarm_id] for e in chunk if e.alarm_id in by_id])
        follows_in_series = _follows_in_series(
            [by_id[e.alarm_id] for e in chunk if e.start is not None and e.alarm_id in by_id]
        )
        for entry in chunk:
            alarm = by_id.get(entry.alarm_id)
            if alarm is not None:
                profile = profiles.get(alarm.event.calendar.user_id)
                waits = alarm.id in (follows if entry.start is None else follows_in_series)
                yield _decide(entry, alarm, profile, contacts, alarm.id in forbidden, waits)


def _follows_in_series(templates: Sequence[Alarm]) -> set[int]:
    """Return the ids of the parents' alarms whose copies wait for another one."""
    parents = {alarm.event_id: alarm.event for alarm in templates}
    others = [other for parent in parents.values() for other in children.templates(parent)]
    return set(same_moment.among(templates, others))


def _decide(
    entry: Entry,
    alarm: Alarm,
    profile: CalendarUserProfile | None,
    contacts: Contacts,
    forbidden: bool,
    waits: bool,
) -> Planned:
    if entry.start is not None and entry.end is not None:
        alarm = _occurring(alarm, entry.start, entry.end, entry.at)
    bound = alarms_eligibility.of(alarm, profile, forbidden=forbidden)
    decision = eligibility.decide(bound, entry.at)
    setting = profile.calendar_setting if profile else None
    method = methods.of(alarm.method)
    gateway = setting.aleg_gateway if setting and method.uses_channel else None
    word = {Eligibility.GO: method.name, Eligibility.WAIT: PlanAction.DEFER}
    action, why = word.get(decision.action, PlanAction.SKIP), decision.reason
    if alarm.event.status == EventStatus.PAUSED:
        action, why = PlanAction.SKIP, Reason.EVENT_PAUSED
    elif not alarm.recipient:
        action, why = PlanAction.SKIP, Reason.NO_RECIPIENT
    elif waits:
        action, why = PlanAction.SKIP, Reason.SAME_MOMENT
    elif decision.action is Eligibility.GO and (refusal := _refusal(method, setting)):
        action, why = PlanAction.SKIP, refusal
    elif action != PlanAction.SKIP and gateway is not None:
        gateway = failover.way_out(gateway, (), alarm) or gateway
        if refused := failover.refusal(gateway, alarm, profile)[0]:
            action, why = PlanAction.SKIP, refused
        elif gateway.status != ACTIVE:
            action, why = PlanAction.DEFER, Reason.GATEWAY_INACTIVE
    until = decision.until
    if action != PlanAction.SKIP:
        held = contacts.decide(alarm, bound, until or entry.at)
        if held is not None:
            action, why, until = word.get(held.action, PlanAction.SKIP), held.reason, held.until
        elif entry.is_capped and decision.action is Eligibility.GO:
            action, why, until = PlanAction.DEFER, Reason.CONTACT_CAP, entry.at
        if action != PlanAction.SKIP:
            contacts.take(alarm, until or entry.at)
    zone = time_zones.of_event(alarm.event, profile)
    local = entry.local or _wall_time(alarm.event, zone)
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
        until=until,
        gateway=gateway.name if gateway else None,
        start=alarm.event.start,
        zone=zone,
        change=change,
    )


def _caps(alarms: Iterable[Alarm]) -> dict[int, ContactCaps]:
    owners = User.select(*contact_caps.COLUMNS).where(User.id.in_({one.owner_id for one in alarms}))
    return {owner.id: contact_caps.of(owner) for owner in owners}


def _refusal(method: AlarmMethod, setting: CalendarSetting | None) -> str:
    gateway = setting.sms_gateway if setting and method.uses_gateway else None
    return method.refusal(gateway_context(gateway))


def _first(attempts: list[Entry], after: datetime, most: int) -> list[Entry]:
    later = (entry for entry in attempts if entry.at >= after)
    return sorted(later, key=lambda entry: (entry.at, entry.alarm_id))[:most]


def _waiting(login: User, now: datetime, before: datetime, most: int) -> Iterator[Entry]:
    """Yield the attempts that have a request already, also deferred ones and retries."""
    query = (
        visibility.ids(login, AlarmRequest)
        .columns(AlarmRequest.date, AlarmRequest.alarm, AlarmRequest.status_reason)
        .where(AlarmRequest.status == AlarmStatus.PENDING, AlarmRequest.date < before)
        .order_by(AlarmRequest.date)
        .limit(most)
    )
    for date, alarm_id, reason in query.tuples().execute():
        yield Entry(max(date, now), alarm_id, is_capped=reason == Reason.CONTACT_CAP)


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
    """Yield the alarms of paused events that are not over. They have no due time."""
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
        at = max(alarms.moment(alarm, alarm.event), now)
        if at < before:
            yield Entry(at, alarm.id)


def _parents(login: User) -> Iterator[Event]:
    """Return the recurring events."""
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
    """Yield the alarms of the occurrences that have no event yet."""
    templates = children.templates(parent)
    if not templates:
        return
    leads = [timedelta(seconds=alarm.offset - alarm.advance_notice) for alarm in templates]
    made_to = max(parent.start, parent.made_to or parent.start)
    try:
        recurrence = series.of(parent)
        if recurrence is None:
            return
        # The wall clock may be put on or back in between.
        first = max(made_to + _TICK, since - max(leads) - _DAY)
        occurrences = recurrence.occurrences(first, before - min(leads) + _DAY, most)
    except (RecurrenceError, ValueError):
        return  # the API refuses such a rule
    there = {children.place(child) for child in children.known(parent.id, _starts(occurrences))}
    zone = time_zones.of_event(parent)
    for occurrence in occurrences:
        if occurrence.start in there:
            continue  # it has a child already: moved, called off, or planned as an event
        end = series.end_of(parent, occurrence, recurrence)
        said = occurrence.local.isoformat()
        for template in templates:
            notice = distance.shown(template, occurrence.start, said, zone)
            at = notice - timedelta(seconds=template.advance_notice)
            if since <= at < before:
                local = series.wall_time(parent, occurrence, recurrence)
                yield Entry(at, template.id, occurrence.start, end, local)


def _starts(occurrences: Sequence[Occurrence]) -> list[datetime]:
    return [occurrence.start for occurrence in occurrences]


def _occurring(alarm: Alarm, start: datetime, end: datetime, at: datetime) -> Alarm:
    """Return the alarm as it will be copied for an occurrence."""
    event = Event(**alarm.event.__data__)
    event.calendar = alarm.event.calendar
    event.start, event.end = start, end
    event.status = alarm.event.children_status
    copied = Alarm(**alarm.__data__)
    copied.event, copied.due, copied.num_attempt = event, at, 0
    return copied


def _wall_time(event: Event, zone: ZoneInfo) -> datetime | None:
    """Return the wall time that the rule gives a child, if the clock may skip it; else None."""
    original = event.original_start
    if original is None or original != event.start or not dates.is_after_gap(original, zone):
        return None
    parent = event.parent_event
    try:
        recurrence = series.of(parent) if parent else None
        places = recurrence.occurrences(original, original + _TICK, 1) if recurrence else []
    except (RecurrenceError, ValueError):
        return None
    if parent is None or recurrence is None or not places:
        return None
    return series.wall_time(parent, places[0], recurrence)


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
