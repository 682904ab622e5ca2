"""A call to failure_phonenumber after an alarm failed or was missed.

The call is another alarm of the same event, with rows, retries and a timeline.
"""

from datetime import datetime

from telealarm import i18n
from telealarm.methods import call as by_call
from telealarm.models import Alarm, CalendarSetting, Section, Survey
from telealarm.sections.play_message import PlayMessage
from telealarm.store import numbers
from telealarm.store.alarms import alarms, eligibility
from telealarm.store.engine import crud
from telealarm.store.engine.timeline import record
from telealarm.words import EventStatus, TimelineWord

NAME = "Told to failure_phonenumber"
# Retries of this call; the delay between them and the greatest lateness, in seconds.
RETRIES, DELAY, LATENESS = 3, 60, 3600


def call(failed: Alarm, now: datetime) -> None:
    """Schedule a call to the calendar setting's failure_phonenumber, if there is one.

    There is one such call for an alarm. If it fails too, no other call follows.
    """
    setting = eligibility.setting_of(failed)
    if setting is None or not setting.failure_phonenumber or failed.about_id is not None:
        return
    event = failed.event
    if failed.deleted or event.deleted or event.status == EventStatus.PAUSED:
        return
    if Alarm.select().where(Alarm.about == failed.id).exists():
        return
    if why := _refusal(failed, setting):
        record(failed.id, TimelineWord.DESK_REFUSED, why, at=now)
        return
    # The event of a wake-up call has a room in its data.
    name = "room" if "room" in (event.data or {}) else "other"
    text, language = i18n.spoken("failure", name, eligibility.language_of(failed))
    alarm = crud.insert(
        Alarm,
        {
            "owner": failed.owner_id,
            "event": event,
            "about": failed,
            "alarm_phonenumber": setting.failure_phonenumber,
            "alarm_e164": setting.failure_e164,
            "method": by_call.METHOD.number,
            "survey": _survey(failed.owner_id, language, text),
            # Due now.
            "offset": round((now - event.start).total_seconds()),
            "offset_elapsed": True,
            "maxretry": RETRIES,
            "retry_delay": DELAY,
            "max_lateness": LATENESS,
            "detached": True,
            "created_date": now,
        },
    )
    record(
        failed.id,
        TimelineWord.DESK_CALLED,
        f"{alarm.alarm_phonenumber}, by alarm {alarm.id}",
        at=now,
    )
    record(alarm.id, TimelineWord.CREATED, f"tells of alarm {failed.id}", at=now)
    alarms.schedule(alarm, event)


def _refusal(failed: Alarm, setting: CalendarSetting) -> str:
    """Return why the number may not be called for this alarm, or an empty text."""
    number = numbers.of_failure(setting)
    route = numbers.route(setting.aleg_gateway, setting)
    if emergency := route.emergency(number):
        return f"{emergency} is an emergency number, which gateway {route.name} does not dial"
    profile = eligibility.profile_of(failed)
    if profile is not None and not route.permits(number, profile.permissions["prefixes"]):
        return f"the calendar user may not reach {number.written}"
    return ""


def _survey(owner_id: int, language: str, text: str) -> Survey:
    """Return the survey that speaks `text`. It is created when it is first needed."""
    speaking = Section.select(Section.survey).where(Section.script == text)
    survey: Survey | None = Survey.get_or_none(
        Survey.owner == owner_id,
        Survey.name == NAME,
        Survey.tts_language == language,
        Survey.id.in_(speaking),
    )
    if survey is None:
        survey = Survey.create(owner=owner_id, name=NAME, tts_language=language)
        Section.create(survey=survey, order=1, type=PlayMessage.number, script=text)
    return survey
