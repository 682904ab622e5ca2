"""The rules that apply to an attempt, read from the current rows."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from telealarm import i18n
from telealarm.models import Alarm, CalendarSetting, CalendarUserProfile, Person, SmsGateway
from telealarm.models.calendar import OF_TRIALS
from telealarm.rules import eligibility
from telealarm.rules.calling_hours import WEEKDAYS, CallingHours
from telealarm.rules.eligibility import Decision, Terms
from telealarm.rules.public_holidays import Holidays
from telealarm.store import do_not_call
from telealarm.store.alarms import attempts
from telealarm.store.engine import read_cache, recipients, time_zones


def profile_of(alarm: Alarm) -> CalendarUserProfile | None:
    """Return the profile of the calendar user that the alarm belongs to."""
    return read_cache.profile_of(alarm.event.calendar.user_id)


def setting_of(alarm: Alarm) -> CalendarSetting | None:
    """Return the calendar setting of the alarm: it defines how the alarm calls."""
    profile = profile_of(alarm)
    return profile.calendar_setting if profile else None


def sms_gateway_of(alarm: Alarm) -> SmsGateway | None:
    """Return the gateway for SMS about the alarm, if its calendar setting names one."""
    setting = setting_of(alarm)
    return setting.sms_gateway if setting else None


def language_of(alarm: Alarm) -> str:
    """Return the language of calls: that of the alarm, its recipient, else that of its survey."""
    setting = setting_of(alarm)
    survey = alarm.survey or (setting.survey if setting else None)
    return recipients.language(alarm) or (survey.tts_language if survey else i18n.ENGLISH)


def decide(alarm: Alarm, at: datetime) -> Decision:
    """Return whether an attempt of the alarm may be made at this moment."""
    return eligibility.decide(_read(alarm), at)


def of_another(alarm: Alarm) -> Terms | None:
    """Return the terms of a following attempt.

    Return None if the alarm or its event was deleted: then no attempt may follow.
    """
    return None if alarm.is_gone else _read(alarm)


def _read(alarm: Alarm) -> Terms:
    forbidden = bool(do_not_call.forbidden([alarm]))
    return of(alarm, profile_of(alarm), forbidden=forbidden)


def of(alarm: Alarm, profile: CalendarUserProfile | None, *, forbidden: bool) -> Terms:
    """Return the terms of an attempt of the alarm. Loaded rows are not read again."""
    setting = profile.calendar_setting if profile else None
    zone = time_zones.of_recipient(alarm, profile)
    person = recipients.of(alarm)
    return Terms(
        expires=attempts.expiry(alarm),
        forbidden=forbidden,
        hours=calling_hours(alarm, setting, zone) if setting else None,
        of_person=_hours_of(person, zone) if person else None,
        consented=not (setting and setting.require_consent) or _consented(alarm, person),
    )


def _consented(alarm: Alarm, person: Person | None) -> bool:
    """Return whether the recipient agreed. The manager's own people and trials are not asked."""
    if alarm.about_id is not None or (person is not None and person.consent):
        return True
    return person is None and alarm.event.calendar.user.password_hash == OF_TRIALS


def _hours_of(person: Person, zone: ZoneInfo) -> CallingHours | None:
    if person.daily_start is None or person.daily_stop is None:
        return None
    return CallingHours(start=person.daily_start, stop=person.daily_stop, zone=zone)


def calling_hours(alarm: Alarm, setting: CalendarSetting, zone: ZoneInfo) -> CallingHours:
    """Return the alarm's hours, on the days of its calendar setting; for bad news, on every day."""
    if alarm.about_id is not None:
        return CallingHours(start=alarm.daily_start, stop=alarm.daily_stop, zone=zone)
    return CallingHours(
        start=alarm.daily_start,
        stop=alarm.daily_stop,
        zone=zone,
        days=frozenset(WEEKDAYS.index(day) for day in setting.calling_days.split(",") if day),
        holidays=Holidays(
            frozenset(date.fromisoformat(day) for day in setting.holidays),
            tuple(setting.holidays_of.split(",")) if setting.holidays_of else (),
        ),
    )
