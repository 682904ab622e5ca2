"""Whose clock: the IANA zone of an event and of a recipient."""

from zoneinfo import ZoneInfo

from telealarm.models import Alarm, Calendar, CalendarUserProfile, Event
from telealarm.store.engine import read_cache

_configured = ZoneInfo("UTC")


def configure(name: str) -> None:
    """Set the zone of those who have none of their own; the database was opened with it."""
    global _configured
    _configured = ZoneInfo(name)


def configured() -> ZoneInfo:
    """The configuration's zone, for those who have none of their own."""
    return _configured


def of_calendar(
    calendar: Calendar, default: ZoneInfo, profile: CalendarUserProfile | None = None
) -> ZoneInfo:
    """The calendar's, else its calendar user's, else `default` (the configuration's).

    `profile` is the calendar user's, where the caller has read it.
    """
    if calendar.timezone:
        return ZoneInfo(calendar.timezone)
    profile = profile or read_cache.profile_of(calendar.user_id)
    return ZoneInfo(profile.timezone) if profile and profile.timezone else default


def of_event(
    event: Event, default: ZoneInfo, profile: CalendarUserProfile | None = None
) -> ZoneInfo:
    """The event's own, else its calendar's."""
    if event.timezone:
        return ZoneInfo(event.timezone)
    return of_calendar(event.calendar, default, profile)


def of_recipient(
    alarm: Alarm, default: ZoneInfo, profile: CalendarUserProfile | None = None
) -> ZoneInfo:
    """The recipient's own (calling hours are theirs), else the event's."""
    if alarm.timezone:
        return ZoneInfo(alarm.timezone)
    return of_event(alarm.event, default, profile)
