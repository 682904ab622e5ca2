"""The callback door: who calls, may they hear the alarm, and which alarm is it."""

from dataclasses import dataclass

from telealarm.store.dialing.call_back import CallBack
from telealarm.survey.inbound.dialog import (
    TRIES,
    Ask,
    Dialog,
    DoorRequest,
    Phrase,
    asked,
    ordered,
    say,
)

# The longest telephone number, and the longest PIN, that can be keyed.
LONGEST = 20


@dataclass(frozen=True)
class FindAlarm(DoorRequest[CallBack | None]):
    """Find the alarm for a number. A `keyed` number proves less than a caller id."""

    number: str
    keyed: bool


@dataclass(frozen=True)
class CheckPin(DoorRequest[bool]):
    """Check a PIN for an alarm."""

    alarm_id: int
    keyed: str
    # The caller shows no number.
    withheld: bool


def callback(number: str) -> Dialog[int | None]:
    """Return the id of the alarm that the caller may answer. None: the caller heard why not.

    `number` is the caller id, empty if it is withheld. Then the caller keys a number, and only
    alarms with a PIN are found.
    """
    keyed = not number
    if keyed:
        keys = yield from asked(Ask((Phrase("ask-number"),), LONGEST), _keys_or_none)
        if keys is None:
            return None
        number = keys
    alarm = yield from ordered(FindAlarm(number, keyed))
    if alarm is None:
        yield say("callback-nothing")
        return None
    if not alarm.asks_pin:
        return alarm.alarm_id
    for _ in range(TRIES):
        pin = yield Ask((Phrase("ask-pin"),), LONGEST)
        if pin and (yield from ordered(CheckPin(alarm.alarm_id, pin, keyed))):
            return alarm.alarm_id
        yield say("wrong-pin")
    yield say("goodbye")
    return None


def _keys_or_none(keys: str) -> str | None:
    return keys or None
