"""Whom a plan reaches: the person of an event, else the number or address in the event's data."""

import re
from dataclasses import dataclass, field
from typing import Any

from telealarm import methods
from telealarm.errors import Invalid
from telealarm.methods.base import Address
from telealarm.models import Event
from telealarm.store import numbers
from telealarm.store.alarms import following
from telealarm.store.engine import read_cache, recipients, regions
from telealarm.words import CarerMode

# The keys in an event's data, by the kind of address.
KEYS = {Address.PHONE: "phone", Address.MAIL: "email"}


@dataclass(frozen=True)
class Contact:
    """The columns of an alarm that say whom it reaches; else `problem` says what is missing."""

    columns: dict[str, Any] = field(default_factory=dict)
    problem: str = ""


_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,189}", re.ASCII)
_NOBODY = {
    **{"alarm_phonenumber": "", "alarm_e164": None, "alarm_email": ""},
    "follows_person": False,
}


def of(event: Event, method: int) -> Contact:
    """Return whom an alarm of the event reaches by this method.

    An alarm without an address follows the person too: it gets the one that the person gets.
    """
    address = methods.of(method).address
    if event.person is None:
        return _of_data(event, address)
    person = event.person
    instead = person.carer_mode == CarerMode.INSTEAD
    reached = recipients.recipient(person, for_carer=instead)
    columns = read_cache.once(("contact", reached.id), lambda: following.columns_of(reached))
    if not columns[address.field]:
        own = _of_data(event, address)
        if not own.problem:
            return own
    problem = "" if columns[address.field] else following.no_address(reached, address.field)
    return Contact({**columns, "follows_person": True}, problem)


def _of_data(event: Event, address: Address) -> Contact:
    """Return what the event's data say. It is read once for all steps of the event."""
    return read_cache.once(("data", event.id, address), lambda: _read_data(event, address))


def _read_data(event: Event, address: Address) -> Contact:
    key = KEYS[address]
    written = (event.data or {}).get(key)
    if not isinstance(written, str | int) or isinstance(written, bool) or not str(written).strip():
        return Contact(_NOBODY, f"the event's data has no {key!r}")
    try:
        return Contact(_NOBODY | _read(event, address, str(written).strip()))
    except Invalid as error:
        texts = "; ".join(text for some in error.fields.values() for text in some)
        return Contact(_NOBODY, f"{key!r} in the event's data {texts}")


def _read(event: Event, address: Address, text: str) -> dict[str, Any]:
    """Return the columns of one address. Raises Invalid."""
    if address is not Address.PHONE:
        if not _MAIL.fullmatch(text):
            raise Invalid({address.field: ["must be a mail address"]})
        return {address.field: text}
    if len(text) > 50:
        raise Invalid({address.field: ["must have at most 50 characters"]})
    number = numbers.read(address.field, text, regions.of_event(event))
    if not number.written:
        raise Invalid({address.field: ["must be a telephone number"]})
    return {"alarm_phonenumber": number.written, "alarm_e164": number.e164 or None}
