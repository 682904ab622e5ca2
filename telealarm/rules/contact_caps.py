"""How often a recipient may be contacted: at most so often a day and a week, and with a pause.

A day is any 24 hours and a week any seven days, not those of a calendar. So the cap holds in every
time zone, and not twice around midnight.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from telealarm.rules import eligibility
from telealarm.rules.eligibility import Decision, Eligibility, Terms
from telealarm.words import Reason

DAY, WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True)
class ContactCaps:
    """The caps of one manager for each recipient; None, and no pause: no cap."""

    per_day: int | None = None
    per_week: int | None = None
    pause: timedelta = timedelta(0)

    def __bool__(self) -> bool:
        return self.per_day is not None or self.per_week is not None or bool(self.pause)

    @property
    def remembered(self) -> timedelta:
        """For how long a contact counts."""
        spans = (self.per_day is not None and DAY, self.per_week is not None and WEEK, self.pause)
        return max(span or timedelta(0) for span in spans)

    def free(self, before: Sequence[datetime], at: datetime) -> tuple[datetime, str]:
        """Return when the next contact may be made, from `at` on, and the rule that says so.

        `before`: when the earlier contacts were. The rule is empty if it may be made at once.
        """
        times = sorted(before)
        free, rule = at, ""
        for most, span, word in ((self.per_day, DAY, "a day"), (self.per_week, WEEK, "a week")):
            if most is not None and len(times) >= most and times[-most] + span > free:
                contacts = "contact" if most == 1 else "contacts"
                free, rule = times[-most] + span, f"at most {most} {contacts} {word}"
        if self.pause and times and times[-1] + self.pause > free:
            free = times[-1] + self.pause
            rule = f"at least {self.pause.total_seconds() / 60:g} minutes between contacts"
        return free, rule


def decide(
    caps: ContactCaps, before: Sequence[datetime], terms: Terms, at: datetime
) -> Decision | None:
    """Return what to do with an attempt instead; None: no cap holds it back.

    If it may only be made after it expires, or when its calling hours do not open any more before,
    it ends at once, as with calling hours: who is told still has time to act.
    """
    free, rule = caps.free(before, at)
    if free == at:
        return None
    why = f"{rule}; until {free.isoformat(timespec='seconds')}"
    if terms.expires is not None and eligibility.decide(terms, free).action is Eligibility.MISS:
        why += f"; wanted until {terms.expires.isoformat(timespec='seconds')}"
        return Decision(Eligibility.MISS, Reason.CONTACT_CAP, why, free)
    return Decision(Eligibility.WAIT, Reason.CONTACT_CAP, why, free)
