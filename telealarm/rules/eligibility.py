"""Whether an attempt may be made at a moment: what admission acts on, and what the plan tells."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from telealarm.rules.calling_hours import CallingHours
from telealarm.words import Reason


@dataclass(frozen=True)
class Terms:
    """What an attempt is bound by.

    `expires`: past this nobody wants it; None: asked for by hand. `forbidden`: its number is on a
    do-not-call list. `hours` None: no calendar setting says how to call.
    """

    expires: datetime | None
    forbidden: bool
    hours: CallingHours | None


class Verdict(Enum):
    GO = auto()
    WAIT = auto()
    MISS = auto()
    """Not made, and for good: missed, or failed where others were made before."""
    FAIL = auto()


@dataclass(frozen=True)
class Decision:
    """What is to be done, and why. `until`: of WAIT, when it can be made; else when it could."""

    action: Verdict
    reason: str = ""
    why: str = ""
    until: datetime | None = None


def decide(terms: Terms, at: datetime) -> Decision:
    """May the attempt be made at this moment?

    Hours that open only when nobody wants it any more end it at once, and not at its expiry: so
    whoever is told has the time to do something about it.
    """
    if terms.expires is not None and terms.expires <= at:
        return Decision(Verdict.MISS, Reason.LATE)
    if terms.forbidden:
        return Decision(Verdict.FAIL, Reason.DO_NOT_CALL)
    if terms.hours is None:
        return Decision(Verdict.FAIL, Reason.NO_CALENDAR_SETTING)
    opens = terms.hours.opening(at)
    if opens is None:
        why = "the calling hours do not open within a year"
        return Decision(Verdict.MISS, Reason.NO_OPENING, why)
    if opens == at:
        return Decision(Verdict.GO)
    why = f"calling hours until {_second(opens)}"
    if terms.expires is not None and terms.expires <= opens:
        why += f"; wanted until {_second(terms.expires)}"
        return Decision(Verdict.MISS, Reason.CALLING_HOURS, why, opens)
    return Decision(Verdict.WAIT, Reason.CALLING_HOURS, why, opens)


def _second(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
