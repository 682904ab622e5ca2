"""Do-not-call lists: their contacts, and which attempts they forbid."""

from collections.abc import Mapping, Sequence
from typing import Any

from telealarm.clock import utcnow
from telealarm.errors import Invalid
from telealarm.models import Alarm, DncContact, DncList
from telealarm.rules import phone
from telealarm.store import rows, webhooks


def add(values: Mapping[str, Any]) -> DncContact:
    """A new contact. Raises Invalid where the list has the number already."""
    _check_single(values["dnc"], values["phone_number"], own_id=0)
    contact: DncContact = rows.insert(DncContact, values)
    webhooks.tell_contact(contact, utcnow())
    return contact


def change(contact: DncContact, values: Mapping[str, Any]) -> None:
    """Edit a contact. Raises Invalid as `add` does."""
    dnc = values.get("dnc", contact.dnc)
    _check_single(dnc, values.get("phone_number", contact.phone_number), own_id=contact.id)
    rows.change(contact, values)


def forbidden(alarms: Sequence[Alarm]) -> set[int]:
    """The ids of those alarms whose number is on a list of their owner, however it is written."""
    if not alarms:
        return set()
    spellings = {one for alarm in alarms for one in phone.spellings(alarm.alarm_phonenumber)}
    listed = {
        (owner, phone.normal(number))
        for chunk in rows.chunks(sorted(spellings))
        for owner, number in DncContact.select(DncList.owner, DncContact.phone_number)
        .join(DncList)
        .where(DncContact.phone_number.in_(chunk))
        .tuples()
    }
    return {
        alarm.id
        for alarm in alarms
        if (alarm.owner_id, phone.normal(alarm.alarm_phonenumber)) in listed
    }


def _check_single(dnc: DncList, number: str, *, own_id: int) -> None:
    same = (DncContact.dnc == dnc.id) & DncContact.phone_number.in_(phone.spellings(number))
    if DncContact.select().where(same, DncContact.id != own_id).exists():
        raise Invalid({"phone_number": [f"the list has {number} already"]})
