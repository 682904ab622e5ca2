"""Whom an alarm reaches: the person of its event, or that person's carer."""

from telealarm.models import Alarm, Person
from telealarm.store.engine import read_cache
from telealarm.words import CarerMode


def of(alarm: Alarm) -> Person | None:
    """Return the person whose zone, language, hours and consent count; None: nobody is known.

    An alarm that reports a failure is for the manager's own people.
    """
    person = alarm.event.person if alarm.about_id is None else None
    return recipient(person, for_carer=is_for_carer(alarm, person)) if person else None


def is_for_carer(alarm: Alarm, person: Person | None) -> bool:
    """Return whether the alarm reaches the carer, and not the person."""
    instead = person is not None and person.carer_mode == CarerMode.INSTEAD
    return alarm.beside_id is not None or (alarm.follows_person and instead)


def recipient(person: Person, *, for_carer: bool) -> Person:
    """Return the person, or the person's carer."""
    carer_id = person.carer_id if for_carer else None
    if carer_id is None:
        return person
    return read_cache.once(("person", carer_id), lambda: person.carer) or person


def language(alarm: Alarm) -> str | None:
    """Return the language of the alarm, else its recipient's; None: neither has one."""
    if alarm.language:
        return alarm.language
    person = of(alarm)
    return person.language if person else None
