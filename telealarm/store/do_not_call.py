"""Do-not-call lists: their contacts, and which attempts they forbid.

If a person was erased, a contact has only keyed digests of the number or the address. It works as
before: whoever knows the number can compute the digest.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from peewee import ModelSelect

from telealarm import methods
from telealarm.clock import utcnow
from telealarm.errors import Invalid
from telealarm.methods.base import Address
from telealarm.models import Alarm, DncContact, DncList
from telealarm.rules import phone
from telealarm.rules.phone_number import PhoneNumber
from telealarm.store import numbers
from telealarm.store.engine import crud, keys, read_cache, regions
from telealarm.store.webhooks import webhooks


def add(values: Mapping[str, Any]) -> DncContact:
    """A new contact. Raises Invalid where the list has the number already."""
    values = _read(values["dnc"], values)
    _check_single(values["dnc"], values.get("phone_number"), values.get("email"), own_id=0)
    return _insert(values)


def add_number(dnc: DncList, number: PhoneNumber) -> DncContact:
    """A new contact for a number that was read before, and is not on the list."""
    return _insert({"dnc": dnc, "phone_number": number.written, "e164": number.e164 or None})


def _insert(values: Mapping[str, Any]) -> DncContact:
    contact = crud.insert(DncContact, values)
    webhooks.tell_contact(contact, utcnow())
    return contact


def change(contact: DncContact, values: Mapping[str, Any]) -> None:
    """Edit a contact. Raises Invalid as `add` does."""
    dnc = values.get("dnc", contact.dnc)
    values = _read(dnc, values)
    number = values.get("phone_number", contact.phone_number)
    email = values.get("email", contact.email)
    _check_single(dnc, number, email, own_id=contact.id)
    is_new = (dnc.id, number, email) != (contact.dnc_id, contact.phone_number, contact.email)
    if number or email:
        values |= dict.fromkeys(_DIGESTS)
    # What a person has changed is theirs: START does not remove it.
    crud.change(contact, {**values, "by_stop": False} if is_new else values)
    if is_new:
        webhooks.tell_contact(contact, utcnow())


# Of a contact whose person was erased.
_DIGESTS = ("phone_digest", "e164_digest", "email_digest")
_PURPOSE = "do not call"


def seal(contact: DncContact) -> None:
    """Replace the number and the address by their keyed digests: the person was erased."""
    number, e164 = contact.phone_number, contact.e164
    values: dict[str, Any] = {"phone_number": None, "e164": None, "email": None}
    if number:
        values["phone_digest"] = digest(phone.normal(number))
    if e164:
        values["e164_digest"] = digest(phone.normal(e164))
    if contact.email:
        values["email_digest"] = digest(contact.email.lower())
    DncContact.update(values).where(DncContact.id == contact.id).execute()


def is_sealed(contact: DncContact) -> bool:
    """Return whether the contact's person was erased."""
    return any(getattr(contact, name) for name in _DIGESTS)


def digest(form: str) -> str:
    """Return the keyed digest of a number in its form for comparing, or of a mail address."""
    return keys.current().digest(_PURPOSE, form)


def forbidden(alarms: Sequence[Alarm]) -> set[int]:
    """The ids of those alarms whose number, however it is written, or whose address of mail is on
    a list of their owner.
    """
    by_address: dict[Address, list[Alarm]] = {address: [] for address in Address}
    for alarm in alarms:
        if alarm.recipient and not read_cache.known(("no lists", alarm.owner_id)):
            by_address[methods.of(alarm.method).address].append(alarm)
    return _by_number(by_address[Address.PHONE]) | {
        alarm.id
        for alarm in by_address[Address.MAIL]
        if lists_mail(alarm.owner_id, alarm.recipient)
    }


def _by_number(alarms: Sequence[Alarm]) -> set[int]:
    if not alarms:
        return set()
    spellings = {one for alarm in alarms for one in numbers.spellings(numbers.of_alarm(alarm))}
    forms = {digest(normal): normal for normal in map(phone.normal, spellings)}
    listed = {
        (owner, forms.get(one) or phone.normal(one))
        for chunk in crud.chunks(sorted(spellings))
        for owner, *entries in DncContact.select(
            DncList.owner,
            DncContact.phone_number,
            DncContact.e164,
            DncContact.phone_digest,
            DncContact.e164_digest,
        )
        .join(DncList)
        .where(_holds(chunk))
        .tuples()
        .execute()
        for one in entries
        if one
    }
    return {
        alarm.id
        for alarm in alarms
        for one in {alarm.alarm_phonenumber, alarm.alarm_e164}
        if one and (alarm.owner_id, phone.normal(one)) in listed
    }


def listed(recipients: Iterable[tuple[int, int, str]]) -> set[int]:
    """Return the keys of those recipients (key, owner, number or mail address) that are listed."""
    given = list(recipients)
    forms = {phone.normal(text) for _, _, text in given if "@" not in text}
    spelled = sorted({one for form in forms for one in phone.spellings(form)} | forms)
    mails = sorted({text.lower() for _, _, text in given if "@" in text})
    known: set[tuple[int, str]] = set()
    by_digest = {digest(form): form for form in [*forms, *mails]}
    query = DncContact.select(DncList.owner, *_CONTACT).join(DncList)
    for chunk in crud.chunks(spelled):
        known |= _entries(query.where(_holds(chunk)), by_digest)
    for chunk in crud.chunks(mails):
        condition = DncContact.email.in_(chunk)
        condition |= DncContact.email_digest.in_([digest(mail) for mail in chunk])
        known |= _entries(query.where(condition), by_digest)
    return {
        key
        for key, owner, text in given
        if (owner, text.lower() if "@" in text else phone.normal(text)) in known
    }


_CONTACT = (
    *(DncContact.phone_number, DncContact.e164, DncContact.email),
    *(DncContact.phone_digest, DncContact.e164_digest, DncContact.email_digest),
)


def _entries(
    query: "ModelSelect[DncContact]", by_digest: Mapping[str, str]
) -> set[tuple[int, str]]:
    """Return what lists have: the owner, with a number as it is compared, or a mail address."""
    return {
        (owner, by_digest.get(one) or (one if "@" in one else phone.normal(one)))
        for owner, *entries in query.tuples().execute()
        for one in entries
        if one
    }


def lists_mail(owner_id: int, address: str) -> bool:
    """Whether a list of the owner has this mail address."""
    return (
        DncContact.select()
        .join(DncList)
        .where(DncList.owner == owner_id, _holds_mail(address))
        .exists()
    )


def lists_number(owner_id: int, number: str) -> bool:
    """Whether a list of the owner has this number, however it is written."""
    same = _same(numbers.known(number, regions.of_owner(owner_id)))
    return DncContact.select().join(DncList).where(DncList.owner == owner_id, same).exists()


# The list of those who asked for it themselves.
OPTED_OUT = "Opted out by themselves"


def opt_out(owner_id: int, *, number: str | None = None, email: str | None = None) -> bool:
    """Put a number or an address onto the list of those who want no more messages, once.

    False where a list of the owner has it already.
    """
    if (number and lists_number(owner_id, number)) or (email and lists_mail(owner_id, email)):
        return False
    values = {**_columns(owner_id, number), "email": email and email.lower()}
    contact = DncContact.create(dnc=_opted_out(owner_id), **values)
    webhooks.tell_contact(contact, utcnow())
    return True


def stop(owner_id: int, number: str) -> None:
    """Put a number that replied STOP onto that list, even if another list has it.

    The other entry may be removed some day. What the recipient asked for must hold then too.
    """
    kept = _opted_out(owner_id)
    same = _same(numbers.known(number, regions.of_owner(owner_id)))
    if not DncContact.select().where(DncContact.dnc == kept.id, same).exists():
        contact = DncContact.create(dnc=kept, **_columns(owner_id, number), by_stop=True)
        webhooks.tell_contact(contact, utcnow())


def start(owner_id: int, texts: Iterable[str]) -> None:
    """Remove the entries of these numbers that STOP made."""
    DncContact.delete().where(DncContact.id.in_(_made_by_stop(owner_id, texts))).execute()


def is_stopped(owner_id: int, texts: Iterable[str]) -> bool:
    """Return whether STOP has made an entry for one of the numbers."""
    return _made_by_stop(owner_id, texts).exists()


def _made_by_stop(owner_id: int, texts: Iterable[str]) -> "ModelSelect[DncContact]":
    region = regions.of_owner(owner_id)
    forms = {form for text in texts for form in numbers.spellings(numbers.known(text, region))}
    lists = DncList.select(DncList.id).where(DncList.owner == owner_id)
    return DncContact.select(DncContact.id).where(
        DncContact.dnc.in_(lists),
        DncContact.by_stop,
        _holds(forms),
    )


def _opted_out(owner_id: int) -> DncList:
    found = DncList.get_or_none(DncList.owner == owner_id, DncList.name == OPTED_OUT)
    return found or DncList.create(owner=owner_id, name=OPTED_OUT)


def _columns(owner_id: int, number: str | None) -> dict[str, Any]:
    """Return the columns of a number that came from a message or a link."""
    read = numbers.known(number or "", regions.of_owner(owner_id))
    return {"phone_number": read.written or None, "e164": read.e164 or None}


def _read(dnc: DncList, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a contact with its number read. Raises Invalid."""
    return numbers.columns(values, numbers.OF_CONTACT, regions.of_owner(dnc.owner_id))


def _same(number: PhoneNumber) -> Any:
    """Return the condition for the contacts with this number."""
    return _holds(numbers.spellings(number))


def _holds(spellings: Collection[str]) -> Any:
    """Return the condition for the contacts with one of these numbers, or with its digest."""
    digests = {digest(phone.normal(form)) for form in spellings if form}
    return (
        DncContact.phone_number.in_(spellings)
        | DncContact.e164.in_(spellings)
        | DncContact.phone_digest.in_(digests)
        | DncContact.e164_digest.in_(digests)
    )


def _holds_mail(address: str) -> Any:
    """Return the condition for the contacts with this mail address, or with its digest."""
    lower = address.lower()
    return (DncContact.email == lower) | (DncContact.email_digest == digest(lower))


def _check_single(dnc: DncList, number: str | None, email: str | None, *, own_id: int) -> None:
    same_number = _same(numbers.known(number or "", regions.of_owner(dnc.owner_id)))
    for name, found, value in (
        ("phone_number", same_number, number),
        ("email", _holds_mail(email or ""), email),
    ):
        same = DncContact.select().where(DncContact.dnc == dnc.id, found, DncContact.id != own_id)
        if value and same.exists():
            raise Invalid({name: [f"the list has {value} already"]})
