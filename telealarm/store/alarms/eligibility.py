"""What an attempt is bound by, read from the rows as they are now."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from telealarm import i18n
from telealarm.models import Alarm, CalendarSetting, CalendarUserProfile, SmsGateway
from telealarm.rules import eligibility
from telealarm.rules.calling_hours import WEEKDAYS, CallingHours
from telealarm.rules.eligibility import Decision, Terms
from telealarm.store import do_not_call
from telealarm.store.alarms import attempts
from telealarm.store.engine import read_cache, time_zones


def profile_of(alarm: Alarm) -> CalendarUserProfile | None:
    """The profile of the calendar user whose alarm it is."""
    return read_cache.profile_of(alarm.event.calendar.user_id)


def setting_of(alarm: Alarm) -> CalendarSetting | None:
    """How the alarm calls."""
    profile = profile_of(alarm)
    return profile.calendar_setting if profile else None


def sms_gateway_of(alarm: Alarm) -> SmsGateway | None:
    """What SMS about the alarm go out by, if its calendar setting names one."""
    setting = setting_of(alarm)
    return setting.sms_gateway if setting else None


def language_of(alarm: Alarm) -> str:
    """The language that is spoken about the alarm: its own, else that of its survey."""
    setting = setting_of(alarm)
    survey = alarm.survey or (setting.survey if setting else None)
    return alarm.language or (survey.tts_language if survey else i18n.ENGLISH)


def decide(alarm: Alarm, at: datetime) -> Decision:
    """May an attempt of the alarm be made at this moment?"""
    return eligibility.decide(_read(alarm), at)


def of_another(alarm: Alarm) -> Terms | None:
    """Return the terms of an attempt that is to follow; None if the alarm or its event was deleted,
    so that none may.
    """
    deleted = alarm.deleted or alarm.event.deleted
    return None if deleted else _read(alarm)


def _read(alarm: Alarm) -> Terms:
    forbidden = bool(do_not_call.forbidden([alarm]))
    return of(alarm, profile_of(alarm), forbidden=forbidden)


def of(alarm: Alarm, profile: CalendarUserProfile | None, *, forbidden: bool) -> Terms:
    """The terms of an attempt of the alarm; nothing is read that hangs on the rows already."""
    setting = profile.calendar_setting if profile else None
    zone = time_zones.of_recipient(alarm, profile)
    hours = calling_hours(alarm, setting, zone) if setting else None
    return Terms(expires=attempts.expiry(alarm), forbidden=forbidden, hours=hours)


def calling_hours(alarm: Alarm, setting: CalendarSetting, zone: ZoneInfo) -> CallingHours:
    """The hours of the alarm, on the days of its calendar setting; bad news comes on any day."""
    if alarm.about_id is not None:
        return CallingHours(start=alarm.daily_start, stop=alarm.daily_stop, zone=zone)
    return CallingHours(
        start=alarm.daily_start,
        stop=alarm.daily_stop,
        zone=zone,
        days=frozenset(WEEKDAYS.index(day) for day in setting.calling_days.split(",") if day),
        holidays=frozenset(date.fromisoformat(day) for day in setting.holidays),
    )
