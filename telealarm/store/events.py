"""Events and calendars as clients write them, and the alarms that follow them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from telealarm.errors import IllegalTransition, Invalid
from telealarm.models import Alarm, Calendar, Event
from telealarm.rules import dates
from telealarm.rules.states import UNSETTLED, EventStatus
from telealarm.store import alarms, rows, zones
from telealarm.store.change import move

_TIMES = ("start", "end", "end_recurring_period")


def create(owner_id: int, values: Mapping[str, Any], now: datetime, default: ZoneInfo) -> Event:
    """A new event. `default` is the zone of those who have none. Raises Invalid."""
    values = {"creator": values["calendar"].user_id, **_without_none(values, "creator")}
    zone = ZoneInfo(values.get("timezone") or str(zones.of_calendar(values["calendar"], default)))
    times = _times(values, now.replace(microsecond=0), zone)
    event: Event = rows.insert(Event, {**values, **times, "owner": owner_id, "created_on": now})
    return event


def change(event: Event, values: Mapping[str, Any], now: datetime, default: ZoneInfo) -> None:
    """Edit an event; its unfinished alarms follow its times and its status. Raises Invalid."""
    values = _without_none(values, "creator")
    old_start, old_end = event.start, event.end
    status = values.pop("status", None)
    for name in ("calendar", "timezone"):
        if name in values:
            setattr(event, name, values[name])
    values.update(_times(values, event.start, zones.of_event(event, default), event))
    rows.change(event, values)
    if status is None and event.status == EventStatus.COMPLETED and old_end <= now < event.end:
        status = EventStatus.PENDING  # moved into the future, it lives again
    if status is not None and status != event.status:
        set_status(event, status, now)
    elif event.start != old_start:
        alarms.reschedule(unfinished([event.id]), event, now)


def set_status(event: Event, status: int, now: datetime) -> None:
    """Pause, complete or resume an event with its alarms. Raises Invalid."""
    completed = event.status == EventStatus.COMPLETED
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
        alarms.cancel(concerned, "event_completed", now)
    else:
        alarms.resume(concerned, event, now)


def set_series_status(event: Event, status: int, now: datetime) -> None:
    """The same for every occurrence not yet begun; an event without any is its own series."""
    made = children(event.id)
    if not made and event.status != status:
        set_status(event, status, now)
    for one in [event, *made] if made else []:
        if one.start > now and one.status not in (status, EventStatus.COMPLETED):
            set_status(one, status, now)


def children(event_id: int) -> list[Event]:
    """The occurrences that were made of an event, oldest first."""
    return list(
        Event.select()
        .where(Event.parent_event == event_id, Event.deleted.is_null())
        .order_by(Event.id)
    )


def unfinished(event_ids: Sequence[int]) -> list[Alarm]:
    """The alarms of these events that are not settled."""
    return list(
        Alarm.select()
        .where(Alarm.event.in_(event_ids), Alarm.deleted.is_null(), Alarm.status.in_(UNSETTLED))
        .order_by(Alarm.id)
    )


def delete(event: Event, now: datetime) -> None:
    """Hide an event with its occurrences and alarms; the log of their calls stays."""
    _hide([event.id, *(child.id for child in children(event.id))], now)


def delete_calendar(calendar: Calendar, now: datetime) -> None:
    """Hide a calendar with its events and alarms; the log of their calls stays."""
    found = Event.select(Event.id).where(Event.calendar == calendar.id, Event.deleted.is_null())
    _hide([event.id for event in found], now)
    rows.change(calendar, {"deleted": now})


def _hide(event_ids: Sequence[int], now: datetime) -> None:
    for ids in rows.chunks(event_ids):
        Event.update(deleted=now).where(Event.id.in_(ids)).execute()
        found = Alarm.select().where(Alarm.event.in_(ids), Alarm.deleted.is_null())
        alarms.delete(list(found), now)


def to_utc(field: str, value: datetime, zone: ZoneInfo) -> datetime:
    """`value` in UTC, a naive one being local to `zone`. Raises Invalid on `field`."""
    try:
        return dates.to_utc(value, zone)
    except ValueError as error:
        raise Invalid({field: [str(error)]}) from None


def _times(
    values: Mapping[str, Any], start: datetime, zone: ZoneInfo, event: Event | None = None
) -> dict[str, datetime]:
    """The times to write, in UTC: those that were sent, and defaults where null was.

    `start` stands in for one that was left out; `event` has the others, where it exists.
    """
    times: dict[str, datetime] = {}
    errors: dict[str, list[str]] = {}
    for name in _TIMES:
        if values.get(name) is not None:
            try:
                times[name] = to_utc(name, values[name], zone)
            except Invalid as error:
                errors.update(error.fields)
    if errors:
        raise Invalid(errors)
    start = times.setdefault("start", start)
    if event is None or "end" in values:
        times.setdefault("end", start + timedelta(hours=1))
    if event is None or "end_recurring_period" in values:
        month_later = dates.add_month(start.astimezone(zone).replace(tzinfo=None))
        if "end_recurring_period" not in times:
            times["end_recurring_period"] = to_utc("start", month_later, zone)
    end = times["end"] if event is None or "end" in times else event.end
    if end <= start:
        raise Invalid({"end": ["must be later than start"]})
    return times


def _without_none(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != name or value is not None}
