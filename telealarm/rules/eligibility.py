"""Whether an attempt may start at a moment. Admission and the plan both use these rules."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from telealarm.rules import calling_hours
from telealarm.rules.calling_hours import CallingHours
from telealarm.words import Reason


@dataclass(frozen=True)
class Terms:
    """What limits an attempt.

    - `expires`: nobody wants the attempt after this. None: a user asked for it by hand.
    - `forbidden`: the number is on a do-not-call list.
    - `hours`: None if no calendar setting applies.
    - `of_person`: the hours in which the recipient likes to be rung; None: at any hour.
    - `consented`: the recipient agreed to be called, or need not.
    """

    expires: datetime | None
    forbidden: bool
    hours: CallingHours | None
    of_person: CallingHours | None = None
    consented: bool = True


class Eligibility(Enum):
    """What to do with an attempt."""

    GO = auto()
    WAIT = auto()
    MISS = auto()
    """Never make the attempt: the alarm is missed, or failed if it had earlier attempts."""
    FAIL = auto()


@dataclass(frozen=True)
class Decision:
    """What to do, and why. `until`: when the attempt may start; for MISS, when it could have."""

    action: Eligibility
    reason: str = ""
    why: str = ""
    until: datetime | None = None


def decide(terms: Terms, at: datetime) -> Decision:
    """Return what to do with the attempt at this moment.

    If the hours open only after the attempt expires, it ends at once and not at its expiry. So the
    users who are notified still have time to act.
    """
    if terms.expires is not None and terms.expires <= at:
        return Decision(Eligibility.MISS, Reason.LATE)
    if terms.forbidden:
        return Decision(Eligibility.FAIL, Reason.DO_NOT_CALL)
    if terms.hours is None:
        return Decision(Eligibility.FAIL, Reason.NO_CALENDAR_SETTING)
    if not terms.consented:
        return Decision(Eligibility.FAIL, Reason.NO_CONSENT)
    parts = (terms.hours, terms.of_person) if terms.of_person else (terms.hours,)
    opens = calling_hours.opening(at, *parts)
    if opens is None:
        why = "the calling hours do not open within a year"
        if terms.of_person:
            why = "the calling hours and the person's do not open together within a year"
        return Decision(Eligibility.MISS, Reason.NO_OPENING, why)
    if opens == at:
        return Decision(Eligibility.GO)
    reason, why = Reason.CALLING_HOURS, f"calling hours until {_second(opens)}"
    if terms.of_person and terms.hours.is_open(at):
        reason, why = Reason.PERSON_HOURS, f"the person's hours until {_second(opens)}"
    if terms.expires is not None and terms.expires <= opens:
        why += f"; wanted until {_second(terms.expires)}"
        return Decision(Eligibility.MISS, reason, why, opens)
    return Decision(Eligibility.WAIT, reason, why, opens)


def _second(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
