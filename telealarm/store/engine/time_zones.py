"""The IANA zone of an event and of a recipient."""

from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from peewee import Database

from telealarm.models import Alarm, Calendar, CalendarUserProfile, Event
from telealarm.store.engine import read_cache, recipients

# The configuration's zone, for each database that was opened with it.
_configured: WeakKeyDictionary[Database, ZoneInfo] = WeakKeyDictionary()


def configure(database: Database, name: str) -> None:
    """Set the default zone for all code that uses this database."""
    _configured[database] = ZoneInfo(name)


def configured() -> ZoneInfo:
    """Return the configuration's zone, the default."""
    return _configured[Calendar._meta.database]


def of_calendar(calendar: Calendar, profile: CalendarUserProfile | None = None) -> ZoneInfo:
    """Return the calendar's zone, else its calendar user's, else the configuration's.

    `profile` is the calendar user's, if the caller has it.
    """
    if calendar.timezone:
        return ZoneInfo(calendar.timezone)
    profile = profile or read_cache.profile_of(calendar.user_id)
    return ZoneInfo(profile.timezone) if profile and profile.timezone else configured()


def of_event(event: Event, profile: CalendarUserProfile | None = None) -> ZoneInfo:
    """Return the event's own zone, else its calendar's."""
    if event.timezone:
        return ZoneInfo(event.timezone)
    return of_calendar(event.calendar, profile)


def of_recipient(alarm: Alarm, profile: CalendarUserProfile | None = None) -> ZoneInfo:
    """Return the alarm's zone, else the recipient's (calling hours use it), else the event's."""
    if alarm.timezone:
        return ZoneInfo(alarm.timezone)
    person = recipients.of(alarm)
    if person is not None and person.timezone:
        return ZoneInfo(person.timezone)
    return of_event(alarm.event, profile)
