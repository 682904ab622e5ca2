"""What a change of a person, or of an event's person, does to the alarms that follow.

It reaches every alarm that has not ended. A call that goes on is not touched: its number is its
own, and only a retry has the new one.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from peewee import Expression

from telealarm import methods
from telealarm.errors import Invalid
from telealarm.models import Alarm, AlarmRequest, Calendar, Event, Person
from telealarm.store.alarms import alarms, attempts, following, permissions
from telealarm.store.engine import crud, recipients, search_index
from telealarm.store.engine.database import wake


def of_people(ids: Sequence[int]) -> Expression:
    """Return the condition for the alarms of these people's events."""
    return Alarm.event.in_(Event.select(Event.id).where(Event.person.in_(ids)))


def person_changed(person: Person, now: datetime) -> None:
    """Write the person's numbers, or those of the carer, into the alarms that follow.

    Raises Invalid if a number is not permitted, or if alarms ahead would have none. An alarm of a
    reminder plan may have none: the plan shows it.
    """
    cared = [row.id for row in Person.select(Person.id).where(Person.carer == person.id)]
    concerned = of_people([person.id, *cared])
    _accompany(of_people([person.id]), now)
    _refill(concerned)
    attempts.reconsider(Alarm.select(Alarm.id).where(concerned, alarms.WANTED))


def event_changed(event: Event, now: datetime) -> None:
    """Let the alarms of an event follow its new person. Without one, they keep their numbers."""
    of_event = Alarm.event == event.id
    if event.person_id is None:
        alarms.delete(_besides(of_event), now)
        Alarm.update(follows_person=False).where(of_event, alarms.WANTED).execute()
    else:
        _accompany(of_event, now, copies=event.parent_event_id is not None)
        _refill(of_event)
    attempts.reconsider(Alarm.select(Alarm.id).where(of_event, alarms.WANTED))


def cancel(people: Sequence[int], reason: str, now: datetime) -> None:
    """Cancel the alarms that follow these people."""
    rows = Alarm.select().where(of_people(people), alarms.WANTED, Alarm.follows_person)
    alarms.cancel(list(rows), reason, now)


def _besides(condition: Expression) -> list[Alarm]:
    rows = Alarm.select().where(condition, alarms.WANTED, Alarm.beside.is_null(False))
    return list(rows)


def _accompany(condition: Expression, now: datetime, *, copies: bool = False) -> None:
    """Make or delete the carer's alarms beside those of the person.

    The alarms of occurrences are copies: unless `copies`, they get them from their parent event.
    """
    besides = _besides(condition)
    wanted = set()
    rows = Alarm.select(Alarm, Event).join(Event)
    for alarm in rows.where(condition, alarms.WANTED, Alarm.follows_person).order_by(Alarm.id):
        if following.accompanied(alarm):
            wanted.add(alarm.id)
            there = any(other.beside_id == alarm.id for other in besides)
            if not there and (copies or alarm.origin_id is None):
                alarms.accompany(alarm, now)
    alarms.delete([other for other in besides if other.beside_id not in wanted], now)


def _refill(condition: Expression) -> None:
    """Write the numbers and addresses of whom they follow into these alarms, a set at a time."""
    rows = (
        Alarm.select(Alarm, Event, Calendar, Person)
        .join(Event)
        .join(Calendar)
        .switch(Event)
        .join(Person)
        .where(condition, alarms.WANTED, Alarm.follows_person)
        .order_by(Alarm.id)
    )
    by_recipient: dict[int, tuple[Person, list[Alarm]]] = {}
    for alarm in rows:
        person = recipients.of(alarm)
        if person is not None:
            by_recipient.setdefault(person.id, (person, []))[1].append(alarm)
    for person, some in by_recipient.values():
        _write(person, some)


def _write(person: Person, some: Sequence[Alarm]) -> None:
    columns = following.columns_of(person)
    differing = [alarm for alarm in some if _differs(alarm, columns)]
    for alarm in differing:
        address = methods.of(alarm.method).address.field
        if not columns[address] and not alarm.trigger:
            field = "email" if address == "alarm_email" else "numbers"
            raise Invalid({field: [f"alarm {alarm.id}, which is ahead, needs one"]})
    for ids in crud.chunks([alarm.id for alarm in differing]):
        Alarm.update(columns).where(Alarm.id.in_(ids)).execute()
        # A waiting attempt may have waited until the old number was free.
        AlarmRequest.update(waits_for=0).where(AlarmRequest.alarm.in_(ids)).execute()
        search_index.refresh(Alarm, ids)
    _check(differing, columns)
    wake("dialing")


def _check(before: Sequence[Alarm], columns: dict[str, Any]) -> None:
    """Check the new number as if a client had written it into each alarm."""
    for alarm in before:
        after = Alarm(**{**alarm.__data__, **columns})
        after.event = alarm.event
        try:
            permissions.check(after, alarm)
        except Invalid as error:
            texts = [text for some in error.fields.values() for text in some]
            raise Invalid({"numbers": [f"alarm {alarm.id}: {text}" for text in texts]}) from None


def _differs(alarm: Alarm, columns: dict[str, Any]) -> bool:
    return any(alarm.__data__[name] != value for name, value in columns.items())
