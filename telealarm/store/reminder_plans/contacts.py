"""Where a plan reaches the people of an event: the numbers and addresses in the event's data."""

import re
from dataclasses import dataclass, field
from typing import Any

from telealarm import methods
from telealarm.errors import Invalid
from telealarm.methods.base import Address
from telealarm.models import Event
from telealarm.store import numbers
from telealarm.store.engine import regions

# The keys in an event's data, by the kind of address.
KEYS = {Address.PHONE: "phone", Address.MAIL: "email"}


@dataclass(frozen=True)
class Contact:
    """The columns of an alarm that say whom it reaches; else `problem` says what is missing."""

    columns: dict[str, Any] = field(default_factory=dict)
    problem: str = ""


_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,189}", re.ASCII)
_NOBODY = {"alarm_phonenumber": "", "alarm_e164": None, "alarm_email": ""}


def of(event: Event, method: int) -> Contact:
    """Return whom an alarm of the event reaches by this method."""
    address = methods.of(method).address
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
