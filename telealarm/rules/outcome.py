"""What follows an attempt that has ended: one decision for calls, SMS and mails.

`failure` returns why a call failed. `decide` returns what follows any attempt, as data. Nothing is
read or written here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from telealarm.rules import disposition as dispositions
from telealarm.rules import eligibility
from telealarm.rules.eligibility import Eligibility, Terms
from telealarm.words import Disposition, Reason

# How often an alarm may be snoozed.
MOST_SNOOZES = 5

# The keys of an alarm's `retry_policy`: reasons that may have a delay and a count of their own.
POLICY_KEYS = tuple(map(str, (*dispositions.RETRIED, Reason.NO_KEY, Reason.EARLY_HANGUP)))

# A later attempt cannot help after these.
FINAL: frozenset[str] = dispositions.FINAL | {Reason.REFUSED}

# This reason follows the policy of another reason.
_POLICY_KEY: dict[str, str] = {Reason.UNKNOWN: Reason.FAILED}

# How often, and how soon (seconds), an answered call that was cut off is placed again. It uses no
# retry: the callee has done nothing wrong.
REDIALS = (0, 30, 30)


@dataclass(frozen=True)
class CallEnd:
    """A call that has ended, from the columns of its rows."""

    disposition: Disposition
    cause: int
    has_key: bool
    heard_first_prompt: bool
    finished: bool
    """The survey came to its end, or the callee hung up. False: the call was cut off, or the callee
    hung up while nobody talked (`hung_up`).
    """
    hung_up: bool = False
    unknown: bool = False
    completed: bool = False
    """The call reached a section that completes the survey."""
    for_machines: bool = False
    """The call only leaves a message on an answering machine (AMD behaviour 3)."""


def failure(call: CallEnd, *, require_result: bool) -> str | None:
    """Return why the call failed, or None if it counts as a success."""
    if call.unknown:
        return Reason.UNKNOWN
    is_machine = call.disposition is Disposition.MACHINE
    if call.disposition is not Disposition.ANSWER and not is_machine:
        return dispositions.reason(call.disposition, call.cause)
    left_message = is_machine and call.for_machines and call.heard_first_prompt
    if call.has_key or call.completed or left_message:
        return None
    if not (call.finished or call.hung_up):
        return Reason.INTERRUPTED
    if is_machine:
        return Reason.MACHINE
    if call.for_machines:
        return Reason.PERSON
    if call.hung_up or not call.heard_first_prompt:
        return Reason.EARLY_HANGUP
    return Reason.NO_KEY if require_result else None


@dataclass(frozen=True)
class Success:
    """The alarm is done."""

    label: ClassVar = "success"


@dataclass(frozen=True)
class Snooze:
    """The callee asked for another call, `at` this moment."""

    at: datetime
    label: ClassVar = "snoozed"


@dataclass(frozen=True)
class Failover:
    """The attempt continues at once through another gateway. `tried`: the gateways before."""

    tried: tuple[int, ...]
    why: str
    label: ClassVar = "failover"


@dataclass(frozen=True)
class Retry:
    """The attempt failed, and another follows `at` this moment."""

    reason: str
    at: datetime
    label: ClassVar = "retry"


@dataclass(frozen=True)
class Failure:
    """The attempt failed, and none follows. `why`: what forbids a retry that was left."""

    reason: str
    why: str = ""
    label: ClassVar = "failure"


Outcome = Success | Snooze | Failover | Retry | Failure


@dataclass(frozen=True)
class Attempt:
    """An attempt that has `ended`, a call or a message.

    - `reason`: why it failed; None if it is a success.
    - `snooze`: the callee asked for another call, with a key.
    - `failover`: how it can continue, if its gateway was congested or refused it.
    - `counts`: it uses a retry. Only calls that the callee made do not.
    - `given_up`: the time for tries is over, and no attempt may follow.
    """

    ended: datetime
    reason: str | None = None
    snooze: bool = False
    failover: Failover | None = None
    counts: bool = True
    given_up: bool = False


@dataclass(frozen=True)
class Policy:
    """How often, and how soon, the alarm is attempted again.

    A reason in `by_reason` has its own delay and count. The others share `maxretry` and
    `retry_delay_seconds`. `failures` counts the alarm's earlier failed attempts by reason.
    `snooze_seconds` None: no calendar setting applies.
    """

    maxretry: int
    retry_delay_seconds: float
    by_reason: Mapping[str, Any] | None = None
    redial_unknown: bool = True
    failures: Mapping[str, int] = field(default_factory=dict)
    snooze_seconds: float | None = None
    snoozes: int = 0


def decide(attempt: Attempt, policy: Policy, terms: Terms | None) -> Outcome:
    """Return what follows the attempt.

    `terms` limit the next attempt. None: the alarm or its event was deleted, and no attempt may
    follow. If a retry would come too late, the alarm fails at once and not at its expiry. So the
    users who are notified still have time to act.
    """
    if attempt.reason is None:
        at = _snoozed_until(attempt, policy)
        if at is None or terms is None or _forbidden(terms, at):
            return Success()
        return Snooze(at)
    if terms is None or attempt.given_up:
        return Failure(attempt.reason)
    if attempt.failover is not None:
        return attempt.failover
    failures = dict(policy.failures)
    if attempt.counts:
        failures[attempt.reason] = failures.get(attempt.reason, 0) + 1
    at = retry_at(
        attempt.reason,
        ended=attempt.ended,
        failures=failures,
        maxretry=policy.maxretry,
        retry_delay_seconds=policy.retry_delay_seconds,
        policy=policy.by_reason,
    )
    if at is None or (attempt.reason == Reason.UNKNOWN and not policy.redial_unknown):
        return Failure(attempt.reason)
    if why := _forbidden(terms, at):
        moment = at.isoformat(timespec="seconds")
        return Failure(attempt.reason, f"no retry at {moment}, {why}")
    return Retry(attempt.reason, at)


def _snoozed_until(attempt: Attempt, policy: Policy) -> datetime | None:
    if not attempt.snooze or policy.snooze_seconds is None or policy.snoozes >= MOST_SNOOZES:
        return None
    return attempt.ended + timedelta(seconds=policy.snooze_seconds)


def _forbidden(terms: Terms, at: datetime) -> str:
    """Return why no attempt may start at this moment, nor wait then; else an empty text."""
    decision = eligibility.decide(terms, at)
    return "" if decision.action in (Eligibility.GO, Eligibility.WAIT) else decision.reason


def retry_at(
    reason: str,
    *,
    ended: datetime,
    failures: Mapping[str, int],
    maxretry: int,
    retry_delay_seconds: float,
    policy: Mapping[str, Any] | None,
) -> datetime | None:
    """Return when to try again, or None to give up.

    `failures` counts the failed attempts of this alarm by reason, including this attempt. The delay
    starts when the attempt `ended`.
    """
    if reason in FINAL:
        return None
    if reason == Reason.INTERRUPTED:
        before = max(0, failures.get(reason, 0) - 1)
        return ended + timedelta(seconds=REDIALS[before]) if before < len(REDIALS) else None
    by_reason = dict(policy or {})
    key = _key(reason)
    if key in by_reason:
        failed = sum(n for word, n in failures.items() if _key(word) == key)
        count, delay = int(by_reason[key]["count"]), float(by_reason[key]["delay"])
    else:
        free = {Reason.INTERRUPTED, *by_reason}
        failed = sum(n for word, n in failures.items() if _key(word) not in free)
        count, delay = maxretry, retry_delay_seconds
    return ended + timedelta(seconds=delay) if failed <= count else None


def _key(word: str) -> str:
    return _POLICY_KEY.get(word, word)
