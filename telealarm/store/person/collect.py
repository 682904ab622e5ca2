"""Makes people of the numbers and names that events have already. It guesses nothing in silence.

1. Events are put together by their manager and the number of their alarms.
2. The names in their data say who it is. Each name is a person: a family may share a number.
3. Without such a name, the title is the name, if all events of the number have it, and few other
   numbers do: "Dentist" names nobody.
4. What is doubtful is told, and left as it is.

An event that has a person is never looked at. So it is safe to collect again.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from telealarm.models import Alarm, Event, Person, PersonNumber, User
from telealarm.rules import person, phone
from telealarm.store import audit
from telealarm.store.alarms import alarms
from telealarm.store.audit import Actor
from telealarm.store.engine import crud
from telealarm.store.person import people

# The longest name of a person.
_LONGEST = 200
# A title that so many numbers of a manager have is the kind of the appointment, and no name.
_COMMON = 3


@dataclass(frozen=True)
class Candidate:
    """A person that the events are about, or the `doubt` for which they are left as they are.

    `known`: the id of the person, who is there already.
    """

    owner_id: int
    name: str
    number: str
    events: tuple[int, ...]
    known: int | None = None
    doubt: str = ""


@dataclass(frozen=True)
class _Visit:
    event_id: int
    title: str
    name: str
    number: str


def propose(owner_id: int) -> list[Candidate]:
    """Return the people of a manager's events that have none yet. It only reads."""
    by_number: defaultdict[str, list[_Visit]] = defaultdict(list)
    candidates = []
    for visit, several in _visits(owner_id):
        if several:
            candidates.append(_doubt(owner_id, [visit], "its alarms have several numbers"))
        else:
            by_number[visit.number].append(visit)
    numbers_with: defaultdict[str, set[str]] = defaultdict(set)
    for number, visits in by_number.items():
        for visit in visits:
            numbers_with[_plain(visit.title)].add(number)
    there = _people(owner_id)
    for visits in by_number.values():
        known = there.get(phone.normal(visits[0].number), {})
        candidates += _of_number(owner_id, visits, known, numbers_with)
    return candidates


def carry_out(candidate: Candidate, actor: Actor, now: datetime) -> None:
    """Write the person, and name them in the events. Alarms with that number follow from now on."""
    if candidate.doubt:
        return
    person_id = candidate.known
    if person_id is None:
        values = {"name": candidate.name, "numbers": [candidate.number]}
        person_id = people.create(candidate.owner_id, values, now).id
        changes = {"name": (None, candidate.name), "numbers": (None, [candidate.number])}
        audit.add(actor, "person", person_id, "create", changes, owner_id=candidate.owner_id)
    first = PersonNumber.select().where(PersonNumber.person == person_id)
    number = first.order_by(PersonNumber.position).get()
    for ids in crud.chunks(candidate.events):
        free = Event.id.in_(ids), Event.person.is_null()
        Event.update(person=person_id).where(*free).execute()
        same = (Alarm.alarm_phonenumber == number.number) | (Alarm.alarm_e164 == number.e164)
        Alarm.update(follows_person=True).where(
            Alarm.event.in_(ids),
            alarms.WANTED,
            same,
            Alarm.alarm_email == "",
            Alarm.about.is_null(),
        ).execute()


def managers(owner_id: int | None) -> list[User]:
    """Return the managers whose events are looked at: one, or everybody."""
    query = User.select().order_by(User.id)
    return list(query if owner_id is None else query.where(User.id == owner_id))


def _visits(owner_id: int) -> Iterator[tuple[_Visit, bool]]:
    """Yield the events without a person, each with a number of its alarms, and whether it has
    several.
    """
    rows = (
        Alarm.select(
            Alarm.event, Alarm.alarm_phonenumber, Alarm.alarm_e164, Event.title, Event.data
        )
        .join(Event)
        .where(
            Event.owner == owner_id,
            Event.person.is_null(),
            Event.deleted.is_null(),
            Alarm.deleted.is_null(),
            Alarm.about.is_null(),
            Alarm.alarm_phonenumber != "",
        )
        .order_by(Alarm.event, Alarm.id)
    )
    found: dict[int, _Visit] = {}
    several = set()
    for event_id, number, e164, title, data in rows.tuples().execute():
        name = next(iter(_names(data)), "")
        visit = _Visit(event_id, title, name, e164 or number)
        if found.setdefault(event_id, visit).number != visit.number:
            several.add(event_id)
    for event_id, visit in found.items():
        if visit.title != person.ERASED:
            yield visit, event_id in several


def _names(data: object) -> list[str]:
    """Return the names in an event's data, a single word under `name` too."""
    whole = person.names_in(data)
    name = data.get("name") if isinstance(data, dict) else None
    return whole or ([name.strip()] if isinstance(name, str) and name.strip() else [])


def _of_number(
    owner_id: int,
    visits: Sequence[_Visit],
    known: Mapping[str, int],
    numbers_with: Mapping[str, set[str]],
) -> Iterator[Candidate]:
    named: defaultdict[str, list[_Visit]] = defaultdict(list)
    for visit in visits:
        named[_plain(visit.name)].append(visit)
    nameless = named.pop("", [])
    if nameless and len(named) == 1:
        next(iter(named.values())).extend(nameless)
    elif nameless and named:
        yield _doubt(owner_id, nameless, "several people have the number, and no name says who")
    elif nameless:
        yield _by_title(owner_id, nameless, known, numbers_with)
    for name, some in named.items():
        yield _candidate(owner_id, some[0].name, some, known.get(name))


def _by_title(
    owner_id: int,
    visits: Sequence[_Visit],
    known: Mapping[str, int],
    numbers_with: Mapping[str, set[str]],
) -> Candidate:
    titles = {_plain(visit.title) for visit in visits}
    if len(known) == 1 and titles != {*known}:
        why = "a person has the number, and the title is another name, or none"
        return _doubt(owner_id, visits, why)
    if len(titles) > 1:
        return _doubt(owner_id, visits, "the number has several titles, and no name in the data")
    title = titles.pop()
    if len(numbers_with[title]) >= _COMMON:
        count = len(numbers_with[title])
        return _doubt(owner_id, visits, f"{count} numbers have this title, so it is no name")
    return _candidate(owner_id, visits[0].title, visits, known.get(title))


def _candidate(owner_id: int, name: str, visits: Sequence[_Visit], known: int | None) -> Candidate:
    return Candidate(owner_id, name[:_LONGEST], visits[0].number, _ids(visits), known)


def _doubt(owner_id: int, visits: Sequence[_Visit], why: str) -> Candidate:
    return Candidate(owner_id, visits[0].title, visits[0].number, _ids(visits), doubt=why)


def _ids(visits: Iterable[_Visit]) -> tuple[int, ...]:
    return tuple(visit.event_id for visit in visits)


def _people(owner_id: int) -> dict[str, dict[str, int]]:
    """Return the manager's people by their numbers, and by their names."""
    there: defaultdict[str, dict[str, int]] = defaultdict(dict)
    rows = PersonNumber.select(PersonNumber, Person).join(Person)
    for row in rows.where(Person.owner == owner_id, Person.deleted.is_null()):
        there[phone.normal(row.e164 or row.number)][_plain(row.person.name)] = row.person_id
    return there


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())
