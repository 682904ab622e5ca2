"""Two windows that both must be open: the alarm's calling hours and those of the person."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from telealarm.rules import calling_hours, eligibility
from telealarm.rules.calling_hours import CallingHours
from telealarm.rules.eligibility import Eligibility, Terms
from telealarm.words import Reason

MADRID = ZoneInfo("Europe/Madrid")
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)  # 01:00 in Madrid


def hours(start: int, stop: int, **more: frozenset[int]) -> CallingHours:
    return CallingHours(start=time(start), stop=time(stop), zone=MADRID, **more)


@pytest.mark.parametrize(
    ("alarm", "person", "opens"),
    [
        (hours(8, 20), hours(10, 12), MONDAY.replace(hour=9)),
        (hours(10, 12), hours(8, 20), MONDAY.replace(hour=9)),
        (hours(22, 2), hours(1, 6), MONDAY),
        (hours(22, 6), hours(5, 8), MONDAY.replace(hour=4)),
        (hours(8, 20, days=frozenset({2})), hours(19, 23), MONDAY.replace(day=4, hour=18)),
        (hours(8, 9), hours(14, 15), None),
    ],
)
def test_both_windows_hold(
    alarm: CallingHours, person: CallingHours, opens: datetime | None
) -> None:
    assert calling_hours.opening(MONDAY, alarm, person) == opens


def test_the_decision_says_whose_hours_are_closed() -> None:
    terms = Terms(expires=None, forbidden=False, hours=hours(8, 20), of_person=hours(10, 12))
    early = eligibility.decide(terms, MONDAY)
    assert (early.action, early.reason) == (Eligibility.WAIT, Reason.CALLING_HOURS)
    later = eligibility.decide(terms, MONDAY.replace(hour=8))
    assert (later.reason, later.until) == (Reason.PERSON_HOURS, MONDAY.replace(hour=9))
    assert eligibility.decide(terms, MONDAY.replace(hour=9)).action is Eligibility.GO


def test_without_consent_nobody_is_called() -> None:
    terms = Terms(expires=None, forbidden=False, hours=hours(0, 23), consented=False)
    decision = eligibility.decide(terms, MONDAY)
    assert (decision.action, decision.reason) == (Eligibility.FAIL, Reason.NO_CONSENT)
