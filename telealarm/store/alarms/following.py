"""Alarms that follow a person: their number and mail address are the person's, or the carer's.

They are written into the alarm. So nothing that makes a call has to look for them.
"""

from collections.abc import Mapping
from typing import Any

from telealarm import methods
from telealarm.errors import Invalid
from telealarm.methods import call
from telealarm.models import Alarm, Person, PersonNumber
from telealarm.store.engine import recipients
from telealarm.words import CarerMode

# The columns that follow.
COLUMNS = ("alarm_phonenumber", "alarm_e164", "alarm_email")


def columns_of(person: Person) -> dict[str, Any]:
    """Return the columns of an alarm for this person: the preferred number, and the mail address.

    A person without one gives an empty text.
    """
    numbers = PersonNumber.select().where(PersonNumber.person == person.id)
    first = numbers.order_by(PersonNumber.position).first()
    return {
        "alarm_phonenumber": first.number if first else "",
        "alarm_e164": first.e164 if first else None,
        "alarm_email": person.email,
    }


def filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a new alarm. Without an address of its own, it follows the person.

    Raises Invalid if the person cannot be reached by the alarm's method.
    """
    person = values["event"].person
    address = _address(values.get("method", call.METHOD.number))
    if values.get(address) or person is None:
        return {**values}
    return {**values, **_followed(person, address, beside=values.get("beside"))}


def changed(alarm: Alarm, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of an edit. An empty address follows the person, another one does not.

    The address that the alarm has already, as a client sends it back, changes nothing.
    """
    address = _address(values.get("method", alarm.method))
    moved = values.get("event", alarm.event).id != alarm.event_id
    if not (alarm.follows_person and moved) and not {address, "method"} & values.keys():
        return {**values}
    own = values.get(address, "" if alarm.follows_person else getattr(alarm, address))
    if alarm.follows_person and own == getattr(alarm, address):
        own = ""
    person = values.get("event", alarm.event).person
    if own:
        return {**values, "follows_person": False}
    if person is None:
        # Its event is nobody's any more: the alarm keeps what it has.
        kept = {name: value for name, value in values.items() if name not in COLUMNS}
        return {**kept, "follows_person": False}
    return {**values, **_followed(person, address, beside=alarm.beside)}


def outdated(alarm: Alarm) -> dict[str, Any]:
    """Return the columns in which the alarm differs from whom it follows."""
    person = alarm.event.person if alarm.follows_person else None
    if person is None:
        return {}
    for_carer = recipients.is_for_carer(alarm, person)
    columns = columns_of(recipients.recipient(person, for_carer=for_carer))
    return {name: value for name, value in columns.items() if alarm.__data__[name] != value}


def accompanied(alarm: Alarm) -> bool:
    """Return whether the carer gets an alarm beside this new one."""
    person = alarm.event.person
    if person is None or not alarm.follows_person or alarm.beside_id is not None:
        return False
    carer = person.carer if person.carer_mode == CarerMode.ALSO else None
    return carer is not None and bool(columns_of(carer)[_address(alarm.method)])


def no_address(person: Person, address: str) -> str:
    """Return the sentence that a person cannot be reached in this way."""
    what = "no mail address" if address == "alarm_email" else "no number"
    return f"person {person.id} has {what}; give the person one, or the alarm"


def _followed(person: Person, address: str, *, beside: Alarm | None) -> dict[str, Any]:
    instead = person.carer_mode == CarerMode.INSTEAD
    reached = recipients.recipient(person, for_carer=instead or beside is not None)
    columns = columns_of(reached)
    if not columns[address]:
        raise Invalid({address: [no_address(reached, address)]})
    return {**columns, "follows_person": True}


def _address(method: int) -> str:
    return methods.of(method).address.field
