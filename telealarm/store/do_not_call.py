"""Do-not-call lists: their contacts, and which attempts they forbid."""

from collections.abc import Mapping, Sequence
from typing import Any

from peewee import fn

from telealarm.errors import Invalid
from telealarm.models import Alarm, AlarmRequest, DncContact, DncList
from telealarm.rules.states import Method
from telealarm.store import rows


def add(values: Mapping[str, Any]) -> DncContact:
    """A new contact. Raises Invalid where the list has the number already."""
    _check_single(values["dnc"], values["phone_number"], own_id=0)
    contact: DncContact = rows.insert(DncContact, values)
    return contact


def change(contact: DncContact, values: Mapping[str, Any]) -> None:
    """Edit a contact. Raises Invalid as `add` does."""
    dnc = values.get("dnc", contact.dnc)
    _check_single(dnc, values.get("phone_number", contact.phone_number), own_id=contact.id)
    rows.change(contact, values)


def forbidden(requests: Sequence[AlarmRequest]) -> set[int]:
    """The ids of those requests whose number, or address of mail, is on a list of their owner."""
    ids = [request.id for request in requests]
    by_mail = Alarm.method == Method.EMAIL
    listed = (~by_mail & (DncContact.phone_number == Alarm.alarm_phonenumber)) | (
        by_mail & (DncContact.email == fn.LOWER(Alarm.alarm_email))
    )
    found = (
        AlarmRequest.select(AlarmRequest.id)
        .join(Alarm)
        .join(DncContact, on=listed)
        .join(DncList, on=(DncContact.dnc == DncList.id))
        .where(AlarmRequest.id.in_(ids), DncList.owner == Alarm.owner)
    )
    return {request.id for request in found}


def _check_single(dnc: DncList, number: str, *, own_id: int) -> None:
    same = (DncContact.dnc == dnc.id) & (DncContact.phone_number == number)
    if DncContact.select().where(same, DncContact.id != own_id).exists():
        raise Invalid({"phone_number": [f"the list has {number} already"]})
