"""What follows an attempt that has ended, as data: calls and messages alike."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from telealarm.rules import disposition, outcome
from telealarm.rules.calling_hours import CallingHours
from telealarm.rules.eligibility import Terms
from telealarm.rules.outcome import Attempt, Failover, Failure, Policy, Retry, Snooze, Success
from telealarm.words import Disposition, Reason

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BUSY = Attempt(ended=NOON, reason=Reason.BUSY)
SNOOZED = Attempt(ended=NOON, snooze=True)
ONE_RETRY = Policy(maxretry=1, retry_delay_seconds=60)
SNOOZES = Policy(maxretry=0, retry_delay_seconds=0, snooze_seconds=300)
NEXT = Failover((1,), "gateway one is congested; at once by two")


def terms(
    *,
    until: datetime | None = NOON + timedelta(hours=1),
    stop: time = time(23),
    listed: bool = False,
) -> Terms:
    hours = CallingHours(start=time(8), stop=stop, zone=ZoneInfo("UTC"))
    return Terms(expires=until, forbidden=listed, hours=hours)


def test_an_attempt_that_counts_is_a_success() -> None:
    assert outcome.decide(Attempt(ended=NOON), ONE_RETRY, terms()) == Success()


def test_a_failed_attempt_is_retried_while_a_retry_is_left() -> None:
    assert outcome.decide(BUSY, ONE_RETRY, terms()) == Retry(Reason.BUSY, NOON + MINUTE)
    used_up = Policy(maxretry=1, retry_delay_seconds=60, failures={"no_answer": 1})
    assert outcome.decide(BUSY, used_up, terms()) == Failure(Reason.BUSY)


def test_a_call_by_the_callee_uses_up_no_retry() -> None:
    rang_back = Attempt(ended=NOON, reason=Reason.EARLY_HANGUP, counts=False)
    none = Policy(maxretry=0, retry_delay_seconds=60)
    assert outcome.decide(rang_back, none, terms()) == Retry(Reason.EARLY_HANGUP, NOON + MINUTE)


@pytest.mark.parametrize(
    ("bound", "why"),
    [
        (terms(until=NOON + MINUTE), "late"),
        (terms(stop=time(12)), "calling_hours"),
        (terms(listed=True), "do_not_call"),
        (Terms(expires=None, forbidden=False, hours=None), "no_calendar_setting"),
    ],
)
def test_a_retry_that_could_not_be_made_is_a_failure_at_once(bound: Terms, why: str) -> None:
    said = f"no retry at 2026-03-02T12:01:00+00:00, {why}"
    assert outcome.decide(BUSY, ONE_RETRY, bound) == Failure(Reason.BUSY, said)


def test_a_retry_may_wait_for_the_calling_hours() -> None:
    tomorrow = terms(until=NOON + timedelta(days=1), stop=time(12))
    assert outcome.decide(BUSY, ONE_RETRY, tomorrow) == Retry(Reason.BUSY, NOON + MINUTE)


@pytest.mark.parametrize(
    "attempt",
    [
        Attempt(ended=NOON, reason=Reason.FAILED, given_up=True),
        Attempt(ended=NOON, reason=Reason.REFUSED),
        Attempt(ended=NOON, reason=Reason.WRONG_NUMBER),
    ],
)
def test_what_no_attempt_can_mend_is_a_failure(attempt: Attempt) -> None:
    assert attempt.reason is not None
    assert outcome.decide(attempt, ONE_RETRY, terms()) == Failure(attempt.reason)


def test_an_unknown_fate_is_retried_unless_the_alarm_says_miss() -> None:
    unknown = Attempt(ended=NOON, reason=Reason.UNKNOWN)
    miss = Policy(maxretry=1, retry_delay_seconds=60, redial_unknown=False)
    assert outcome.decide(unknown, ONE_RETRY, terms()) == Retry(Reason.UNKNOWN, NOON + MINUTE)
    assert outcome.decide(unknown, miss, terms()) == Failure(Reason.UNKNOWN)
    assert outcome.decide(BUSY, miss, terms()) == Retry(Reason.BUSY, NOON + MINUTE)


def test_another_gateway_goes_before_the_retries() -> None:
    congested = Attempt(ended=NOON, reason=Reason.CONGESTION, failover=NEXT)
    none = Policy(maxretry=0, retry_delay_seconds=0)
    assert outcome.decide(congested, none, terms()) == NEXT


def test_nothing_follows_what_was_deleted() -> None:
    congested = Attempt(ended=NOON, reason=Reason.CONGESTION, failover=NEXT)
    assert outcome.decide(congested, ONE_RETRY, None) == Failure(Reason.CONGESTION)
    assert outcome.decide(SNOOZED, SNOOZES, None) == Success()


def test_a_snooze_is_another_call_while_it_may_be_made() -> None:
    at = NOON + 5 * MINUTE
    assert outcome.decide(SNOOZED, SNOOZES, terms()) == Snooze(at)
    assert outcome.decide(SNOOZED, SNOOZES, terms(until=at)) == Success()
    often = Policy(maxretry=0, retry_delay_seconds=0, snooze_seconds=300, snoozes=5)
    assert outcome.decide(SNOOZED, often, terms()) == Success()
    assert outcome.decide(SNOOZED, ONE_RETRY, terms()) == Success()


def test_each_reason_that_a_rule_gives_has_a_policy_of_its_own_or_is_final() -> None:
    for disposed in set(Disposition) - {Disposition.ANSWER}:
        for cause in range(128):
            reason = disposition.reason(disposed, cause)
            assert (reason in outcome.POLICY_KEYS) != (reason in outcome.FINAL)
