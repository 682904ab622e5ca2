"""People as clients write them, with their numbers, and what is read of them for a list."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from peewee import Expression

from telealarm.errors import Conflict, Invalid
from telealarm.models import Event, Person, PersonNumber, PersonTerm
from telealarm.rules import phone, phone_number, search_terms
from telealarm.rules.phone_number import PhoneNumber
from telealarm.store import do_not_call, numbers
from telealarm.store.alarms import followers
from telealarm.store.engine import crud, regions
from telealarm.words import CarerMode, EventStatus, Reason

# What of a person decides about alarms.
_OF_ALARMS = {"numbers", "email", "carer", "carer_mode", "timezone", "daily_start", "daily_stop"}
# The fewest digits of a number without its country code that is sought.
_FEWEST = 6


def create(owner_id: int, values: Mapping[str, Any], now: datetime) -> Person:
    """Return the new person. Raises Invalid."""
    columns, read = _read(owner_id, values)
    _check(Person(owner=owner_id, **columns))
    dates = {"created_date": now, "updated_date": now}
    person = crud.insert(Person, {**columns, "owner": owner_id, **dates})
    _write_numbers(person, read or [])
    return person


def change(person: Person, values: Mapping[str, Any], now: datetime) -> None:
    """Edit a person. The alarms that follow get the new number. Raises Invalid."""
    columns, read = _read(person.owner_id, values)
    _check(Person(**{**person.__data__, **columns}))
    crud.change(person, columns)
    if read is not None:
        PersonNumber.delete().where(PersonNumber.person == person.id).execute()
    _write_numbers(person, read)
    if _OF_ALARMS & values.keys():
        followers.person_changed(person, now)


def delete(person: Person, now: datetime) -> None:
    """Delete a person whom no event ahead is about. Raises Conflict.

    Events that are over stay, and say no more whom they were about.
    """
    cared = Person.select().where(Person.carer == person.id, Person.deleted.is_null()).first()
    if cared is not None:
        raise Conflict(f"The person is the carer of person {cared.id}; change that first.")
    event = Event.select().where(Event.person == person.id, ahead(now)).first()
    if event is not None:
        raise Conflict(
            f"Event {event.id} is ahead, and about this person; delete it or change its person"
            " first. POST erase/ erases the person anyway."
        )
    PersonTerm.delete().where(PersonTerm.person == person.id).execute()
    crud.remove(person)


def retire(person: Person, now: datetime) -> None:
    """Hide a person who is being erased. Whoever has them as carer is reached without."""
    Person.update(deleted=now).where(Person.id == person.id).execute()
    alone: dict[str, Any] = {"carer": None, "carer_mode": ""}
    for cared in Person.select().where(Person.carer == person.id):
        crud.change(cared, alone)
        try:
            with Person._meta.database.atomic():
                followers.person_changed(cared, now)
        except Invalid:
            # Nobody else can be reached: these alarms were for the carer.
            followers.cancel([cared.id], Reason.ERASED, now)


def forget(ids: Sequence[int]) -> int:
    """Delete the rows of people who were erased. Return how many."""
    for chunk in crud.chunks(ids):
        Person.update(carer=None, carer_mode="").where(Person.carer.in_(chunk)).execute()
        PersonTerm.delete().where(PersonTerm.person.in_(chunk)).execute()
        Person.delete().where(Person.id.in_(chunk)).execute()
    return len(ids)


def refresh(ids: Sequence[int]) -> None:
    """Write what these people are found by anew."""
    for person in Person.select().where(Person.id.in_(list(ids))):
        _write_numbers(person, None)


def ahead(now: datetime) -> Expression:
    """Return the condition that an event is not over, or that more of its series follow."""
    on = (Event.end > now) & (Event.status != EventStatus.COMPLETED)
    return Event.deleted.is_null() & (on | Event.next_child_due.is_null(False))


def load(people: Sequence[Person]) -> None:
    """Read what is shown of these people from other tables, for all of them at once."""
    known: defaultdict[int, list[PersonNumber]] = defaultdict(list)
    for ids in crud.chunks([person.id for person in people]):
        rows = PersonNumber.select().where(PersonNumber.person.in_(ids))
        for row in rows.order_by(PersonNumber.person, PersonNumber.position):
            known[row.person_id].append(row)
    for person in people:
        person.known_numbers = known[person.id]
    listed = _listed(people)
    for person in people:
        person.do_not_call = person.id in listed


def _listed(people: Sequence[Person]) -> set[int]:
    """Return the people of whom a number or the mail address is on a do-not-call list."""
    return do_not_call.listed(
        (person.id, person.owner_id, form)
        for person in people
        for form in [
            *(text for row in person.known_numbers for text in (row.number, row.e164)),
            person.email,
        ]
        if form
    )


def loaded(person: Person) -> Person:
    """Return the person with what `load` reads."""
    if not hasattr(person, "known_numbers"):
        load([person])
    return person


def with_number(text: str) -> Expression:
    """Return the condition for the people with this number. Without a country code, any fits."""
    number = numbers.known(text, regions.configured())
    forms = sorted(numbers.spellings(number) | {number.written})
    holds = PersonNumber.number.in_(forms) | PersonNumber.e164.in_(forms)
    digits = number.written.lstrip("0")
    if digits.isdigit() and len(digits) >= _FEWEST:
        holds |= PersonNumber.e164.endswith(digits)
    return Person.id.in_(PersonNumber.select(PersonNumber.person).where(holds))


def _read(
    owner_id: int, values: Mapping[str, Any]
) -> tuple[dict[str, Any], list[PhoneNumber] | None]:
    """Return the columns, and the numbers if they were sent. Raises Invalid."""
    columns = {name: value for name, value in values.items() if name != "numbers"}
    if columns.get("external_id") == "":
        columns["external_id"] = None
    if "numbers" not in values:
        return columns, None
    region, read, errors = regions.of_owner(owner_id), [], []
    for text in values["numbers"]:
        try:
            read.append(phone_number.read(text, region))
        except ValueError as error:
            errors.append(f"{text}: {error}")
    if errors:
        raise Invalid({"numbers": errors})
    return columns, list({phone.normal(one.outgoing): one for one in read}.values())


def _check(person: Person) -> None:
    """Raise Invalid if the fields do not fit together."""
    if bool(person.daily_start) != bool(person.daily_stop):
        missing = "daily_stop" if person.daily_start else "daily_start"
        raise Invalid({missing: ["hours have both a start and a stop, or neither"]})
    if bool(person.carer_id) != bool(person.carer_mode):
        missing = "carer_mode" if person.carer_id else "carer"
        words = " or ".join(CarerMode)
        raise Invalid({missing: [f"a carer has a mode, {words}, and a mode has a carer"]})
    seen, carer = {person.id}, person.carer
    while carer is not None:
        if carer.id in seen:
            raise Invalid({"carer": ["nobody is their own carer, also by way of others"]})
        seen.add(carer.id)
        carer = carer.carer


def _write_numbers(person: Person, read: Sequence[PhoneNumber] | None) -> None:
    """Write the numbers, if they were sent, and the words and numbers that a search finds."""
    if read is not None:
        for position, number in enumerate(read):
            columns = {"number": number.written, "e164": number.e164 or None}
            PersonNumber.create(person=person, position=position, **columns)
    PersonTerm.delete().where(PersonTerm.person == person.id).execute()
    rows = [
        {"owner": person.owner_id, "term": term, "person": person.id} for term in _terms(person)
    ]
    for chunk in crud.chunks(rows):
        PersonTerm.insert_many(chunk).on_conflict_ignore().execute()


def _terms(person: Person) -> Iterable[bytes]:
    texts = [person.name, person.first_name, person.email, person.external_id or ""]
    terms = search_terms.of_texts([*texts, person.notes])
    for row in PersonNumber.select().where(PersonNumber.person == person.id):
        terms |= search_terms.of_number(row.number) | search_terms.of_number(row.e164)
    return terms
