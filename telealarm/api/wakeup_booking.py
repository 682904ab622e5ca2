"""Wake-up calls as events and alarms: finds, books and cancels them for a number of a calendar.

The inbound door and FastAGI use it. It writes as the manager, with every check of the API.
"""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from telealarm.api.local_client import LocalClient
from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.errors import NotVisible
from telealarm.models import Alarm, Calendar, Event, Rule
from telealarm.rules import dates, wakeup
from telealarm.rules.wakeup import Booked
from telealarm.store import audit, numbers
from telealarm.store.alarms import alarms
from telealarm.store.audit import Actor
from telealarm.store.calendars import events
from telealarm.store.engine import crud, read_cache, regions, time_zones
from telealarm.store.engine.database import Database
from telealarm.words import UNSETTLED, AuditRoad, EventStatus, Reason

# The audit log does not name a caller: the event does.
_CALLER = Actor("a caller", AuditRoad.CALLER)
TITLE = "Wake-up call"
# The alarm of each wake-up call: retries after the first attempt, seconds between attempts, and the
# key that snoozes. The callee must confirm with a key.
RETRIES, DELAY, SNOOZE = 2, 120, "2"
LASTS = timedelta(hours=2)


class WakeupBooking:
    def __init__(self, config: Config, db: Database) -> None:
        self._config = config
        self._db = db

    async def find(self, calendar_id: int, number: str) -> Booked | None:
        """Return the wake-up call for `number`. Raises NotVisible if there is no such calendar."""
        return await self._db.read(self._find, calendar_id, number)

    async def keep(self, calendar_id: int, number: str, clock: time, daily: bool) -> Booked:
        """Book a wake-up call for `number` at `clock` in the calendar's zone, and return it.

        It replaces the wake-up call that the number had. Raises Invalid, Conflict, NotVisible.
        """
        return await self._db.write(self._keep, calendar_id, number, clock, daily, utcnow())

    async def cancel(self, calendar_id: int, number: str) -> bool:
        """Cancel the wake-up calls for `number`. Return whether there was one."""
        return await self._db.write(self._cancel, calendar_id, number, utcnow())

    def _find(self, calendar_id: int, number: str) -> Booked | None:
        calendar = _calendar(calendar_id)
        zone = time_zones.of_calendar(calendar)
        matches = _events(calendar, number)
        return _booked(matches[-1], zone) if matches else None

    def _keep(
        self, calendar_id: int, number: str, clock: time, daily: bool, now: datetime
    ) -> Booked:
        calendar = _calendar(calendar_id)
        zone = time_zones.of_calendar(calendar)
        start = wakeup.following(clock, now, zone)
        self._cancel(calendar_id, number, now)
        client = LocalClient(self._config, calendar.owner, _CALLER)
        body: dict[str, Any] = {
            "title": TITLE,
            "start": start.isoformat(),
            "end": (dates.to_utc(start, zone) + LASTS).isoformat(),
            "data": {"room": number},
        }
        if daily:
            rule = Rule.get(Rule.owner.is_null(), Rule.frequency == "DAILY")
            body |= {"rule": rule.id, "end_recurring_period": None}
        event = client.create("event", body, {"calendar": calendar})
        assert isinstance(event, Event)
        crud.change(event, {"is_wakeup": True})
        alarm = {
            "alarm_phonenumber": number,
            "maxretry": RETRIES,
            "retry_delay": DELAY,
            "require_result": True,
            "snooze_key": SNOOZE,
        }
        client.create("alarm", alarm, {"event": event})
        return _booked(event, zone)

    def _cancel(self, calendar_id: int, number: str, now: datetime) -> bool:
        matches = _events(_calendar(calendar_id), number)
        for event in matches:
            events.set_series_status(event, EventStatus.COMPLETED, now)
            changes = {"status": (None, EventStatus.COMPLETED.value)}
            owner_id = event.owner_id
            audit.add(_CALLER, "event", event.id, "change", changes, owner_id=owner_id)
            if event.rule_id is not None:
                # The line above ends future calls. This ends calls that ring or are snoozed now.
                alarms.cancel(_unfinished(event), Reason.EVENT_COMPLETED, now)
        return bool(matches)


def _booked(event: Event, zone: ZoneInfo) -> Booked:
    daily = event.rule_id is not None
    if daily and event.said_start:
        return Booked(datetime.fromisoformat(event.said_start), daily)
    return Booked(event.start.astimezone(zone).replace(tzinfo=None), daily)


def _calendar(calendar_id: int) -> Calendar:
    calendar = Calendar.get_or_none(Calendar.id == calendar_id, Calendar.deleted.is_null())
    if calendar is None:
        raise NotVisible(f"there is no calendar {calendar_id}; correct TELEALARM_CALENDAR")
    return calendar


def _events(calendar: Calendar, number: str) -> list[Event]:
    """Return the events with a wake-up call to come. For a daily one: its first event."""
    profile = read_cache.profile_of(calendar.user_id)
    region = regions.of_profile(profile, calendar.owner_id)
    forms = numbers.spellings(numbers.known(number, region))
    to_come = Event.rule.is_null(False) & (Event.children_status != EventStatus.COMPLETED)
    once = Event.rule.is_null() & (Event.status == EventStatus.PENDING)
    unsettled = Alarm.status.in_(UNSETTLED)
    query = (
        Event.select()
        .join(Alarm)
        .where(
            Event.calendar == calendar.id,
            Event.title == TITLE,
            Event.parent_event.is_null(),
            Event.deleted.is_null(),
            Alarm.alarm_phonenumber.in_(forms) | Alarm.alarm_e164.in_(forms),
            Alarm.about.is_null(),
            Alarm.deleted.is_null(),
            to_come | (once & unsettled),
        )
    )
    return list(query.order_by(Event.id).distinct())


def _unfinished(event: Event) -> list[Alarm]:
    """Return the alarms of a daily wake-up call that are not settled."""
    occurrence = (Event.id == event.id) | (Event.parent_event == event.id)
    query = (
        Alarm.select()
        .join(Event)
        .where(
            occurrence,
            Alarm.about.is_null(),
            Alarm.deleted.is_null(),
            Alarm.status.in_(UNSETTLED),
        )
    )
    return list(query.order_by(Alarm.id))
