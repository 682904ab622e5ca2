"""Events and calendars as clients write them, with their alarms and children."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from telealarm.errors import IllegalTransition, Invalid
from telealarm.models import Alarm, Calendar, CalendarFeed, Event
from telealarm.rules import dates
from telealarm.rules.recurrence import Series
from telealarm.store.alarms import alarms, attempts, followers, parents
from telealarm.store.calendars import exdates, series
from telealarm.store.engine import crud, time_zones
from telealarm.store.engine.database import wake
from telealarm.store.engine.together import together
from telealarm.store.engine.transition import move
from telealarm.store.messages import invitations
from telealarm.store.reminder_plans import follow, notices, steps
from telealarm.words import EventStatus, Reason, StepTrigger

_TIMES = ("start", "end", "end_recurring_period")


def drafted(values: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return the columns of a new event, from the `values` of a request. Raises Invalid."""
    values = {"creator": values["calendar"].user_id, **_without_none(values, "creator")}
    zone = ZoneInfo(values.get("timezone") or str(time_zones.of_calendar(values["calendar"])))
    columns = {**values, **_times(values, now.replace(microsecond=0), zone)}
    columns["exdate"] = _texts(values.get("exdate"))
    if columns.get("rule") is not None:
        _check_period(columns["start"], columns["end_recurring_period"])
    return columns


def redrafted(event: Event, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that an edit of `event` changes. Raises Invalid."""
    columns = _without_none(values, "creator")
    for name in ("calendar", "timezone"):
        if name in columns:
            setattr(event, name, columns[name])
    columns.update(_times(columns, event.start, time_zones.of_event(event), event))
    if "exdate" in columns:
        columns["exdate"] = _texts(columns["exdate"])
    rule = columns.get("rule", event.rule_id)
    if rule is not None and event.parent_event_id is not None:
        raise Invalid({"rule": ["an occurrence does not recur itself; change its parent_event"]})
    if rule is not None:
        start = columns.get("start", event.start)
        _check_period(start, columns.get("end_recurring_period", event.end_recurring_period))
    return columns


@together
def create(news: Sequence[tuple[int, Mapping[str, Any], datetime]]) -> Sequence[Event]:
    """Create events: `owner_id`, `values`, `now` of each. Raises Invalid.

    A series that began earlier gets no children for past occurrences.
    """
    rows = crud.create_all([_drafted_row(*new) for new in news])
    for event, (_, _, now) in zip(rows, news, strict=True):
        if event.rule_id is not None:
            wake("series")
        _give_up_excluded(event, now)
        if steps.plan_id(event) is not None:
            follow.follow([event], now)
            notices.tell(event, StepTrigger.BOOKED, now)
    return rows


def _drafted_row(owner_id: int, values: Mapping[str, Any], now: datetime) -> Event:
    columns = drafted(values, now)
    if columns.get("rule") is not None:
        columns.update(made_to=max(columns["start"], now), next_child_due=now)
        columns["children_status"] = columns.get("status", EventStatus.PENDING)
    return Event(**columns, owner=owner_id, created_on=now)


def change(event: Event, values: Mapping[str, Any], now: datetime) -> None:
    """Edit an event. Its unfinished alarms follow its times and its status. Raises Invalid.

    An edit of a parent also changes its children. Its status also applies to later children. A
    child that is edited itself no longer follows its parent.
    """
    if values.keys() == {"attended"}:
        crud.change(event, values)  # what was, and nothing that its alarms or a series follow
        return
    old_start, old_end, recurs = event.start, event.end, event.rule_id is not None
    old_clock, old_person = (event.timezone, event.calendar_id), event.person_id
    ends = values.get("status") == EventStatus.COMPLETED
    old_plan, was_ahead = steps.plan_id(event), _ahead(event, now) if ends else []
    before = _series(event)
    columns = redrafted(event, values)
    status = columns.pop("status", None)
    if columns.get("start", old_start) != old_start:
        columns["moved_on"] = now
    if event.parent_event_id is not None:
        columns["detached"] = True
    crud.change(event, columns)
    if before is not None and "exdate" not in columns:
        crud.change(event, {"exdate": exdates.carried(event, before)})
    if status is None and event.status == EventStatus.COMPLETED and old_end <= now < event.end:
        status = EventStatus.PENDING  # moved into the future: it is active again
    if status is not None and status != event.status:
        set_status(event, status, now)
        if recurs:
            _set_children_status(event, status, now)
    if event.start != old_start:
        alarms.event_moved(event, now)
    elif (event.timezone, event.calendar_id) != old_clock:
        at_a_distance = [alarm for alarm in unfinished([event.id]) if alarm.offset]
        alarms.reschedule(at_a_distance, event, now)
    if (event.timezone, event.calendar_id) != old_clock:
        attempts.reconsider([alarm.id for alarm in unfinished([event.id])])
    if event.person_id != old_person:
        followers.event_changed(event, now)
    if old_plan is not None or steps.plan_id(event) is not None:
        _follow_plan(event, was_ahead, now, moved=event.start != old_start)
    _give_up_excluded(event, now)
    parents.edited([event.id], now)


def _ahead(event: Event, now: datetime) -> list[Event]:
    """Return the event and its children that are on and have not begun, if it has a plan."""
    if steps.plan_id(event) is None:
        return []
    rows = Event.select().where(Event.parent_event == event.id, Event.deleted.is_null())
    ahead = list(rows.where(Event.start > now, Event.status != EventStatus.COMPLETED))
    own = event.start > now and event.status != EventStatus.COMPLETED
    return [event, *ahead] if own else ahead


def _follow_plan(event: Event, was_ahead: Sequence[Event], now: datetime, *, moved: bool) -> None:
    """Let an edited event follow its plan, and tell its person of a move or of the end."""
    if event.status == EventStatus.COMPLETED:
        ended = [one for one in was_ahead if one.id == event.id or _is_ended(one)]
        notices.cancelled(ended, now)
    else:
        notices.withdraw(event, StepTrigger.CANCELLED, now)
    follow.follow([event], now, moved={event.id} if moved else ())
    if moved and event.status != EventStatus.COMPLETED:
        notices.tell(event, StepTrigger.MOVED, now)


def _is_ended(event: Event) -> bool:
    return Event.get_by_id(event.id).status == EventStatus.COMPLETED


def _series(event: Event) -> Series | None:
    """Return the series of an event with an `exdate`, before an edit."""
    return series.of(event) if event.exdate else None


def give_up_own(event: Event, reason: str, now: datetime) -> None:
    """Cancel a parent's own occurrence. The series continues."""
    was_on = event.status != EventStatus.COMPLETED
    if was_on:
        move(event, EventStatus.COMPLETED)
    alarms.cancel(unfinished([event.id]), reason, now)
    invitations.call_off(event)
    if was_on and reason == Reason.OCCURRENCE_CANCELLED:
        notices.cancelled([event], now)


def _give_up_excluded(event: Event, now: datetime) -> None:
    """Cancel a parent's own occurrence if it is in its own `exdate`."""
    if event.rule_id is None or not event.exdate:
        return
    zone = time_zones.of_event(event)
    excluded = [datetime.fromisoformat(text) for text in event.exdate]
    if event.start in [dates.to_utc(moment, zone) for moment in excluded]:
        give_up_own(event, Reason.OCCURRENCE_CANCELLED, now)


def set_status(event: Event, status: int, now: datetime) -> None:
    """Pause, complete or resume an event with its alarms. Raises Invalid.

    To pause what has ended changes nothing: the reference's clients do so.
    """
    completed = event.status == EventStatus.COMPLETED
    if completed and status == EventStatus.PAUSED and event.end <= now:
        return
    if completed and status == EventStatus.PENDING and event.end <= now:
        raise Invalid({"status": ["the event has ended; move it into the future first"]})
    try:
        move(event, status)
    except IllegalTransition:
        raise Invalid(
            {"status": ["a completed event cannot be paused; set its status to 1 first"]}
        ) from None
    concerned = unfinished([event.id])
    if status == EventStatus.PAUSED:
        alarms.hold(concerned, now)
    elif status == EventStatus.COMPLETED:
        alarms.cancel(concerned, Reason.EVENT_COMPLETED, now)
    else:
        alarms.resume(concerned, event, now)


def set_series_status(event: Event, status: int, now: datetime) -> None:
    """Set the status of every occurrence that has not begun. Held alarms continue on resume.

    Future children get the status too. An event without other occurrences is its own series.
    """
    parent = event.parent_event or event
    was_ahead = _ahead(parent, now) if status == EventStatus.COMPLETED else []
    if parent.rule_id is not None:
        if parent.status == EventStatus.PAUSED or parent.start > now:
            _set_if_open(parent, status, now)
        _set_children_status(parent, status, now)
    elif occurrences := children(parent.id):
        for occurrence in [parent, *occurrences]:
            if occurrence.start > now:
                _set_if_open(occurrence, status, now)
    elif parent.status != status:
        set_status(parent, status, now)
    notices.cancelled([one for one in was_ahead if _is_ended(one)], now)


def _set_children_status(parent: Event, status: int, now: datetime) -> None:
    """Set the status of children not yet begun, of paused children, and of later children."""
    crud.change(parent, {"children_status": status})
    parents.edited([parent.id], now)
    concerned = Event.select().where(
        Event.parent_event == parent.id,
        Event.deleted.is_null(),
        (Event.start > now) | (Event.status == EventStatus.PAUSED),
    )
    for child in list(concerned):
        _set_if_open(child, status, now)


def _set_if_open(event: Event, status: int, now: datetime) -> None:
    if event.status not in (status, EventStatus.COMPLETED):
        set_status(event, status, now)


def children(event_id: int) -> list[Event]:
    """Return the child events of an event, oldest first."""
    return list(
        Event.select()
        .where(Event.parent_event == event_id, Event.deleted.is_null())
        .order_by(Event.id)
    )


def unfinished(event_ids: Sequence[int]) -> list[Alarm]:
    """Return the unsettled alarms of these events, without those that were called off."""
    return list(Alarm.select().where(Alarm.event.in_(event_ids), alarms.WANTED).order_by(Alarm.id))


def delete(event: Event, now: datetime) -> None:
    """Hide an event with its occurrences and alarms. The log of their calls stays."""
    was_ahead = _ahead(event, now)
    _hide([event.id, *(child.id for child in children(event.id))], now)
    notices.cancelled(was_ahead, now)


def delete_calendar(calendar: Calendar, now: datetime) -> None:
    """Hide a calendar with its events and alarms. The log of their calls stays."""
    rows = Event.select(Event.id).where(Event.calendar == calendar.id, Event.deleted.is_null())
    _hide([event.id for event in rows], now)
    CalendarFeed.delete().where(CalendarFeed.calendar == calendar.id).execute()
    crud.change(calendar, {"deleted": now})


def _hide(event_ids: Sequence[int], now: datetime) -> None:
    for ids in crud.chunks(event_ids):
        Event.update(deleted=now, next_child_due=None).where(Event.id.in_(ids)).execute()
        rows = Alarm.select().where(Alarm.event.in_(ids), Alarm.deleted.is_null())
        alarms.delete(list(rows), now)


def to_utc(field: str, value: datetime, zone: ZoneInfo) -> datetime:
    """Return `value` in UTC. A naive value is local to `zone`. Raises Invalid on `field`."""
    try:
        return dates.to_utc(value, zone)
    except ValueError as error:
        raise Invalid({field: [str(error)]}) from None


def _times(
    values: Mapping[str, Any], start: datetime, zone: ZoneInfo, event: Event | None = None
) -> dict[str, Any]:
    """Return the times to write, in UTC: those that were sent, and defaults for the others.

    `start` is the default start. `event` has the other times, if it exists already.
    """
    times: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    for name in _TIMES:
        if values.get(name) is not None:
            try:
                times[name] = to_utc(name, values[name], zone)
            except Invalid as error:
                errors.update(error.fields)
    if errors:
        raise Invalid(errors)
    if event is None or times.get("start", event.start) != event.start or "timezone" in values:
        times["said_start"] = _skipped(values.get("start"), zone)
    start = times.setdefault("start", start)
    if event is None or "end" in values:
        times.setdefault("end", start + timedelta(hours=1))
    if "end_recurring_period" in values:
        times.setdefault("end_recurring_period", None)
    elif event is None:
        month_later = dates.add_month(start.astimezone(zone).replace(tzinfo=None))
        times["end_recurring_period"] = to_utc("start", month_later, zone)
    end = times["end"] if event is None or "end" in times else event.end
    if end <= start:
        raise Invalid({"end": ["must be later than start"]})
    return times


def _skipped(start: datetime | None, zone: ZoneInfo) -> str | None:
    """Return the start as it was sent, if the clock of `zone` skips it."""
    if start is None or start.tzinfo is not None:
        return None
    shown = dates.to_utc(start, zone).astimezone(zone).replace(tzinfo=None)
    return None if shown == start else start.isoformat()


def _check_period(start: datetime, end: datetime | None) -> None:
    if end is not None and end < start:
        raise Invalid({"end_recurring_period": ["must not be earlier than start"]})


def _texts(exdate: Sequence[datetime] | None) -> list[str]:
    return [moment.isoformat() for moment in exdate or ()]


def _without_none(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != name or value is not None}
