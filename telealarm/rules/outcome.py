"""Whether an attempt that was answered counts, and what follows one that failed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from telealarm.rules import disposition as dispositions
from telealarm.words import Disposition, Reason

# No later attempt can mend these.
FINAL = {Reason.WRONG_NUMBER}

# Reasons without a key of their own in `retry_policy` follow another's.
_POLICY_KEY: dict[str, str] = {
    Reason.UNKNOWN: Reason.FAILED,
    Reason.INTERRUPTED: Reason.EARLY_HANGUP,
}


@dataclass(frozen=True)
class Attempt:
    """One call that has ended, as the rows tell it."""

    disposition: Disposition
    cause: int
    has_key: bool
    heard_first_prompt: bool
    finished: bool
    """The survey came to its end, or the callee hung up: nothing of ours broke off."""
    unknown: bool = False
    completed: bool = False
    """A section was reached of which the survey says that whoever gets there is done."""
    for_machines: bool = False
    """A message was to be left on an answering machine, and nothing else (AMD behaviour 3)."""


def failure(attempt: Attempt, *, require_result: bool) -> Reason | None:
    """Why the attempt failed, or None where it counts as a success (DESIGN.md section 4)."""
    if attempt.unknown:
        return Reason.UNKNOWN
    if attempt.disposition is Disposition.MACHINE and attempt.for_machines:
        return None if attempt.heard_first_prompt else Reason.MACHINE
    if attempt.disposition is not Disposition.ANSWER:
        return dispositions.reason(attempt.disposition, attempt.cause)
    if attempt.has_key or attempt.completed:
        return None
    if not attempt.finished:
        return Reason.INTERRUPTED
    if attempt.for_machines:
        return Reason.PERSON
    if not attempt.heard_first_prompt:
        return Reason.EARLY_HANGUP
    return Reason.NO_KEY if require_result else None


def retry_at(
    reason: Reason,
    *,
    ended: datetime,
    failures: Mapping[str, int],
    maxretry: int,
    retry_delay_seconds: int,
    policy: Mapping[str, Any] | None,
) -> datetime | None:
    """When to try again, or None to give up.

    `failures` counts, by reason, the attempts of this alarm that failed, this one included. The
    clock starts when the attempt `ended`. A reason that `policy` names has a delay and a count of
    its own; the others share `maxretry` and `retry_delay_seconds`.
    """
    if reason in FINAL:
        return None
    own = dict(policy or {})
    key = _key(reason)
    if key in own:
        failed = sum(n for word, n in failures.items() if _key(word) == key)
        count, delay = int(own[key]["count"]), float(own[key]["delay"])
    else:
        failed = sum(n for word, n in failures.items() if _key(word) not in own)
        count, delay = maxretry, float(retry_delay_seconds)
    return ended + timedelta(seconds=delay) if failed <= count else None


def _key(word: str) -> str:
    return _POLICY_KEY.get(word, word)
