"""The PIN of a caller who rings back, and how often it may be guessed."""

import hmac
from datetime import datetime

from telealarm.models import Alarm, PinGuess
from telealarm.rules import pin_limit
from telealarm.store.alarms import eligibility
from telealarm.store.engine import keys
from telealarm.store.engine.timeline import record
from telealarm.words import TimelineWord

_FORGOTTEN_AFTER = max(pin_limit.OWN_NUMBER.window, pin_limit.WITHHELD.window)


def check(alarm_id: int, keyed: str, now: datetime, *, withheld: bool) -> bool:
    """Return whether `keyed` is the alarm's PIN.

    The PIN is `pin` in its event's data, else its calendar user's accountcode. Without either,
    every PIN is wrong. So it is after too many wrong ones for the callee's number.

    `withheld`: the caller shows no number, and keyed the callee's. Their wrong PINs are counted by
    themselves, so that strangers do not keep out those who call from the callee's number.
    """
    alarm = Alarm.get_by_id(alarm_id)
    number = alarm.alarm_e164 or alarm.alarm_phonenumber
    digest = keys.current().digest("callers who guess", number)
    bucket = pin_limit.WITHHELD if withheld else pin_limit.OWN_NUMBER
    wrong = _wrong(digest, now - bucket.window, withheld=withheld)
    if not bucket.takes(wrong, now):
        return False
    right = _pin(alarm)
    if right and hmac.compare_digest(keyed.encode(), right.encode()):
        return True
    PinGuess.delete().where(PinGuess.at <= now - _FORGOTTEN_AFTER).execute()
    PinGuess.create(digest=digest, withheld=withheld, at=now)
    why = "keyed by a caller" if right else "no PIN is set"
    if not bucket.takes([*wrong, now], now):
        minutes = int(bucket.every.total_seconds() // 60)
        whose = "without a number" if withheld else "from this number"
        why += f"; the next one {whose} is taken in {minutes} minutes"
    record(alarm_id, TimelineWord.WRONG_PIN, why, at=now)
    return False


def _wrong(digest: str, since: datetime, *, withheld: bool) -> list[datetime]:
    guesses = PinGuess.select(PinGuess.at).where(
        PinGuess.digest == digest, PinGuess.withheld == withheld, PinGuess.at > since
    )
    return [guess.at for guess in guesses.order_by(PinGuess.at)]


def _pin(alarm: Alarm) -> str:
    pin = (alarm.event.data or {}).get("pin")
    if isinstance(pin, str | int) and not isinstance(pin, bool) and str(pin).strip():
        return str(pin).strip()
    profile = eligibility.profile_of(alarm)
    code = profile.accountcode if profile else None
    return "" if code is None else str(code)
