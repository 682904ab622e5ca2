"""The bad news by phone: an alarm that failed or was missed is told to failure_phonenumber.

That call is an alarm of its own on the same event, with rows, retries and a timeline like any.
"""

from datetime import datetime

from telealarm import i18n
from telealarm.methods import call as by_call
from telealarm.models import Alarm, Section, Survey
from telealarm.sections.play_message import PlayMessage
from telealarm.store.alarms import alarms, eligibility
from telealarm.store.engine import crud
from telealarm.store.engine.timeline import record
from telealarm.words import EventStatus, TimelineWord

NAME = "Told to failure_phonenumber"
# Of its call: retries, a delay between them and a lateness in seconds.
RETRIES, DELAY, LATENESS = 3, 60, 3600


def call(failed: Alarm, now: datetime) -> None:
    """Have the calendar setting's failure_phonenumber called, if there is one, and told of it.

    Once for an alarm; what this call itself comes to is told to nobody.
    """
    setting = eligibility.setting_of(failed)
    if setting is None or not setting.failure_phonenumber or failed.about_id is not None:
        return
    event = failed.event
    if failed.deleted or event.deleted or event.status == EventStatus.PAUSED:
        return
    if Alarm.select().where(Alarm.about == failed.id).exists():
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
            "method": by_call.METHOD.number,
            "survey": _survey(failed.owner_id, language, text),
            # Due now.
            "offset": round((now - event.start).total_seconds()),
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


def _survey(owner_id: int, language: str, text: str) -> Survey:
    """The survey that says this, made when it is first needed."""
    said = Section.select(Section.survey).where(Section.script == text)
    found: Survey | None = Survey.get_or_none(
        Survey.owner == owner_id,
        Survey.name == NAME,
        Survey.tts_language == language,
        Survey.id.in_(said),
    )
    if found is None:
        found = Survey.create(owner=owner_id, name=NAME, tts_language=language)
        Section.create(survey=found, order=1, type=PlayMessage.number, script=text)
    return found
