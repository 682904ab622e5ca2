"""Do-not-call lists: their contacts, and which attempts they forbid."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from peewee import ModelSelect

from telealarm import methods
from telealarm.clock import utcnow
from telealarm.errors import Invalid
from telealarm.methods.base import Address
from telealarm.models import Alarm, DncContact, DncList
from telealarm.rules import phone
from telealarm.store.engine import crud
from telealarm.store.webhooks import webhooks


def add(values: Mapping[str, Any]) -> DncContact:
    """A new contact. Raises Invalid where the list has the number already."""
    _check_single(values["dnc"], values.get("phone_number"), values.get("email"), own_id=0)
    contact = crud.insert(DncContact, values)
    webhooks.tell_contact(contact, utcnow())
    return contact


def change(contact: DncContact, values: Mapping[str, Any]) -> None:
    """Edit a contact. Raises Invalid as `add` does."""
    dnc = values.get("dnc", contact.dnc)
    number = values.get("phone_number", contact.phone_number)
    email = values.get("email", contact.email)
    _check_single(dnc, number, email, own_id=contact.id)
    is_new = (dnc.id, number, email) != (contact.dnc_id, contact.phone_number, contact.email)
    # What a person has changed is theirs: START does not remove it.
    crud.change(contact, {**values, "by_stop": False} if is_new else values)
    if is_new:
        webhooks.tell_contact(contact, utcnow())


def forbidden(alarms: Sequence[Alarm]) -> set[int]:
    """The ids of those alarms whose number, however it is written, or whose address of mail is on
    a list of their owner.
    """
    by_address: dict[Address, list[Alarm]] = {address: [] for address in Address}
    for alarm in alarms:
        if alarm.recipient:
            by_address[methods.of(alarm.method).address].append(alarm)
    return _by_number(by_address[Address.PHONE]) | {
        alarm.id
        for alarm in by_address[Address.MAIL]
        if lists_mail(alarm.owner_id, alarm.recipient)
    }


def _by_number(alarms: Sequence[Alarm]) -> set[int]:
    if not alarms:
        return set()
    spellings = {one for alarm in alarms for one in phone.spellings(alarm.alarm_phonenumber)}
    listed = {
        (owner, phone.normal(number))
        for chunk in crud.chunks(sorted(spellings))
        for owner, number in DncContact.select(DncList.owner, DncContact.phone_number)
        .join(DncList)
        .where(DncContact.phone_number.in_(chunk))
        .tuples()
        .execute()
    }
    return {
        alarm.id
        for alarm in alarms
        if (alarm.owner_id, phone.normal(alarm.alarm_phonenumber)) in listed
    }


def lists_mail(owner_id: int, address: str) -> bool:
    """Whether a list of the owner has this mail address."""
    return (
        DncContact.select()
        .join(DncList)
        .where(DncList.owner == owner_id, DncContact.email == address.lower())
        .exists()
    )


def lists_number(owner_id: int, number: str) -> bool:
    """Whether a list of the owner has this number, as it is written."""
    return (
        DncContact.select()
        .join(DncList)
        .where(DncList.owner == owner_id, DncContact.phone_number.in_(phone.spellings(number)))
        .exists()
    )


# The list of those who asked for it themselves.
OPTED_OUT = "Opted out by themselves"


def opt_out(owner_id: int, *, number: str | None = None, email: str | None = None) -> bool:
    """Put a number or an address onto the list of those who want no more messages, once.

    False where a list of the owner has it already.
    """
    if (number and lists_number(owner_id, number)) or (email and lists_mail(owner_id, email)):
        return False
    values = {"phone_number": number, "email": email and email.lower()}
    contact = DncContact.create(dnc=_opted_out(owner_id), **values)
    webhooks.tell_contact(contact, utcnow())
    return True


def stop(owner_id: int, number: str) -> None:
    """Put a number that replied STOP onto that list, even if another list has it.

    The other entry may be removed some day. What the recipient asked for must hold then too.
    """
    kept = _opted_out(owner_id)
    same = DncContact.phone_number.in_(phone.spellings(number))
    if not DncContact.select().where(DncContact.dnc == kept.id, same).exists():
        contact = DncContact.create(dnc=kept, phone_number=number, by_stop=True)
        webhooks.tell_contact(contact, utcnow())


def start(owner_id: int, numbers: Iterable[str]) -> None:
    """Remove the entries of these numbers that STOP made."""
    DncContact.delete().where(DncContact.id.in_(_made_by_stop(owner_id, numbers))).execute()


def is_stopped(owner_id: int, numbers: Iterable[str]) -> bool:
    """Return whether STOP has made an entry for one of the numbers."""
    return _made_by_stop(owner_id, numbers).exists()


def _made_by_stop(owner_id: int, numbers: Iterable[str]) -> "ModelSelect[DncContact]":
    spellings = {spelling for number in numbers for spelling in phone.spellings(number)}
    lists = DncList.select(DncList.id).where(DncList.owner == owner_id)
    return DncContact.select(DncContact.id).where(
        DncContact.dnc.in_(lists),
        DncContact.by_stop,
        DncContact.phone_number.in_(spellings),
    )


def _opted_out(owner_id: int) -> DncList:
    found = DncList.get_or_none(DncList.owner == owner_id, DncList.name == OPTED_OUT)
    return found or DncList.create(owner=owner_id, name=OPTED_OUT)


def _check_single(dnc: DncList, number: str | None, email: str | None, *, own_id: int) -> None:
    for name, found, value in (
        ("phone_number", DncContact.phone_number.in_(phone.spellings(number or "")), number),
        ("email", DncContact.email == email, email),
    ):
        same = DncContact.select().where(DncContact.dnc == dnc.id, found, DncContact.id != own_id)
        if value and same.exists():
            raise Invalid({name: [f"the list has {value} already"]})
