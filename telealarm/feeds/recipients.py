"""Whom the events of a source are about: the person with the number that was found in one."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from telealarm.importing.draft import Draft, Note, Rejected
from telealarm.models import Calendar, Person, PersonNumber
from telealarm.rules import phone_number
from telealarm.rules.phone_number import PhoneNumber
from telealarm.store.engine import crud, read_cache, regions

Found = Draft | Rejected | Note


def named(calendar: Calendar, found: Sequence[Found]) -> list[Found]:
    """Return the drafts with their persons. Call it in a transaction.

    A number of several people, such as a family's, names nobody.
    """
    numbers = {_number(one) for one in found if isinstance(one, Draft)} - {""}
    people = _people(calendar, numbers)
    return [_named(one, people) if isinstance(one, Draft) else one for one in found]


def _named(draft: Draft, people: dict[str, int]) -> Draft:
    person = people.get(_number(draft))
    return draft if person is None else replace(draft, event={**draft.event, "person": person})


def _number(draft: Draft) -> str:
    return str(draft.alarms[0]["alarm_phonenumber"]) if draft.alarms else ""


def _read(number: str, region: str | None) -> PhoneNumber | None:
    try:
        return phone_number.read(number, region)
    except ValueError:
        return None  # the API refuses it, with a sentence


def _people(calendar: Calendar, numbers: Iterable[str]) -> dict[str, int]:
    """Return the one person with each number, if there is one."""
    region = regions.of_profile(read_cache.profile_of(calendar.user_id), calendar.owner_id)
    forms = {number: form for number in numbers if (form := _read(number, region)) is not None}
    wanted = [text for form in forms.values() for text in (form.written, form.e164) if text]
    known: defaultdict[str, set[int]] = defaultdict(set)
    mine = (Person.owner == calendar.owner_id) & Person.deleted.is_null()
    for some in crud.chunks(wanted):
        holds = PersonNumber.number.in_(some) | PersonNumber.e164.in_(some)
        for row in PersonNumber.select().join(Person).where(mine, holds):
            for text in filter(None, (row.number, row.e164)):
                known[text].add(row.person_id)
    return {
        number: next(iter(people))
        for number, form in forms.items()
        if len(people := known[form.written] | known[form.e164 or form.written]) == 1
    }
