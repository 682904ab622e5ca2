"""Ringing back: who is it, may they hear it, and which alarm was meant for them."""

from dataclasses import dataclass

from telealarm.store.dialing.call_back import CallBack
from telealarm.survey.inbound.dialog import TRIES, Ask, Dialog, Order, Phrase, asked, ordered, say

# The longest telephone number, and the longest PIN, that can be keyed.
LONGEST = 20


@dataclass(frozen=True)
class Seek(Order[CallBack | None]):
    """What was meant for this number? A number that was `keyed` proves less than a caller id."""

    number: str
    keyed: bool


@dataclass(frozen=True)
class CheckPin(Order[bool]):
    alarm_id: int
    keyed: str


def callback(number: str) -> Dialog[int | None]:
    """The id of the alarm that the caller may answer, or None; then goodbye was said.

    `number` is the caller id, empty where it is withheld: then the number is asked for, and only
    what is guarded by a PIN is found.
    """
    keyed = not number
    if keyed:
        said = yield from asked(Ask((Phrase("ask-number"),), LONGEST), _something)
        if said is None:
            return None
        number = said
    found = yield from ordered(Seek(number, keyed))
    if found is None:
        yield say("callback-nothing")
        return None
    if not found.asks_pin:
        return found.alarm_id
    for _ in range(TRIES):
        pin = yield Ask((Phrase("ask-pin"),), LONGEST)
        if pin and (yield from ordered(CheckPin(found.alarm_id, pin))):
            return found.alarm_id
        yield say("wrong-pin")
    yield say("goodbye")
    return None


def _something(keys: str) -> str | None:
    return keys or None
