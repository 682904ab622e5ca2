"""The values of placeholders for an alarm, and the placeholders that have no value."""

from datetime import datetime

from telealarm import methods
from telealarm.models import Alarm, Event, Section, Survey
from telealarm.rules import placeholders, spoken_dates
from telealarm.store.access import users
from telealarm.store.engine import read_cache, recipients, time_zones
from telealarm.store.engine.timeline import record
from telealarm.words import TimelineWord


def values(
    alarm: Alarm,
    event: Event,
    now: datetime,
    *,
    language: str | None = None,
    attempt: int | None = None,
) -> dict[str, object]:
    """Return the values in the recipient's language and zone.

    The event's data overrides the values that every alarm has. `language` is used if the alarm has
    none; the default is English. `minutes_left` counts from `now`. `attempt` is the number of the
    attempt that is being made.
    """
    spoken_in = recipients.language(alarm) or language or "en"
    zone = time_zones.of_recipient(alarm)
    start = event.start.astimezone(zone)
    user, person = event.calendar.user, event.person
    subject = alarm.about or alarm
    return {
        "title": event.title,
        "first_name": user.first_name or None,
        "last_name": user.last_name or None,
        "name": f"{user.first_name} {user.last_name}".strip() or None,
        "person_name": person and person.name,
        "person_first_name": person and (person.first_name or None),
        "start_date": spoken_dates.day(start, spoken_in, now.astimezone(zone).date()),
        "start_time": spoken_dates.clock(start, spoken_in),
        "minutes_left": max(0, round((event.start - now).total_seconds() / 60)),
        "alarm_phonenumber": subject.alarm_phonenumber,
        "num_attempt": alarm.num_attempt if attempt is None else attempt,
        **(event.data or {}),
    }


def look(alarm: Alarm, before: Alarm | None, now: datetime) -> None:
    """Record which placeholders of `alarm`, which was just written, have no value.

    A call leaves them out. If an edit changes none of the sources (compared with `before`), nothing
    is checked again.
    """
    if before is not None and _sources(before) == _sources(alarm):
        return
    alarm.lacking = missing(alarm, now)
    if alarm.lacking:
        said = "; ".join(alarm.lacking)
        record(
            alarm.id,
            TimelineWord.WORDS_MISSING,
            f"{said}: the event's data has no such value, so it is left out; add it to"
            " data, or write {name|words to say instead} in the survey",
            at=now,
        )


def missing(alarm: Alarm, now: datetime) -> list[str]:
    """Return a sentence for each section of the survey that has placeholders without a value."""
    if not methods.of(alarm.method).uses_channel:
        return []
    survey = alarm.survey or users.setting_of(alarm.event.calendar.user).survey
    texts = read_cache.once(("texts", survey.id), lambda: _texts(survey))
    if not texts:
        return []
    known = values(alarm, alarm.event, now)
    return [
        f"section {number} of the survey {survey.name!r} says {_listed(names)}"
        for number, text in texts
        if (names := placeholders.lacking(text, known))
    ]


def _sources(alarm: Alarm) -> tuple[int | None, ...]:
    return alarm.event_id, alarm.survey_id, alarm.method


def _texts(survey: Survey) -> list[tuple[int, str]]:
    """Return the survey's texts with placeholders, each with the number of its section."""
    result: list[tuple[int, str]] = []
    rows = survey.sections.order_by(Section.order, Section.id)
    for number, section in enumerate(rows, 1):
        texts = [] if section.audiofile_id else [section.script]
        kind = section.kind
        texts += [*kind.scripts(), *kind.texts()]
        result += [(number, text) for text in texts if placeholders.lacking(text, {})]
    return result


def _listed(names: list[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in names)
