"""How often a recipient may be contacted: when the next contact is free, and which rule says so."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telealarm.rules.calling_hours import CallingHours
from telealarm.rules.contact_caps import DAY, WEEK, ContactCaps, decide
from telealarm.rules.eligibility import Eligibility, Terms
from telealarm.words import Reason

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("caps", "ago", "free", "rule"),
    [
        (ContactCaps(per_day=2), [], 0, ""),
        (ContactCaps(per_day=2), [3], 0, ""),
        (ContactCaps(per_day=2), [3, 5], 19, "at most 2 contacts a day"),
        (ContactCaps(per_day=2), [3, 25], 0, ""),
        (ContactCaps(per_day=2), [1, 2, 3], 22, "at most 2 contacts a day"),
        (ContactCaps(per_week=2), [3, 100], 68, "at most 2 contacts a week"),
        (ContactCaps(per_day=1, per_week=2), [3, 100], 68, "at most 2 contacts a week"),
        (ContactCaps(per_day=1, per_week=2), [3, 167], 21, "at most 1 contact a day"),
        (ContactCaps(pause=2 * HOUR), [1, 100], 1, "at least 120 minutes between contacts"),
        (ContactCaps(pause=2 * HOUR), [2], 0, ""),
    ],
)
def test_when_the_next_contact_is_free(
    caps: ContactCaps, ago: list[int], free: int, rule: str
) -> None:
    assert caps.free([NOON - hours * HOUR for hours in ago], NOON) == (NOON + free * HOUR, rule)


@given(
    st.lists(st.integers(0, 60 * 24 * 9), max_size=40),
    st.integers(1, 4) | st.none(),
    st.integers(1, 9) | st.none(),
    st.integers(0, 300),
)
def test_contacts_that_wait_until_they_are_free_keep_every_cap(
    minutes: list[int], per_day: int | None, per_week: int | None, pause: int
) -> None:
    caps = ContactCaps(per_day, per_week, timedelta(minutes=pause))
    made: list[datetime] = []
    for wanted in sorted(minutes):
        at = max([NOON + timedelta(minutes=wanted), *made[-1:]])
        made.append(caps.free(made, at)[0])
    for place, at in enumerate(made):
        before = made[:place]
        assert per_day is None or len([one for one in before if one > at - DAY]) < per_day
        assert per_week is None or len([one for one in before if one > at - WEEK]) < per_week
        assert not pause or not before or at - before[-1] >= caps.pause


def test_an_attempt_waits_or_is_missed_if_that_is_too_long() -> None:
    caps, before = ContactCaps(per_day=1), [NOON - HOUR]
    hours = CallingHours(time(8), time(20), ZoneInfo("UTC"))
    free = NOON + 23 * HOUR

    def of(expires: datetime | None, hours: CallingHours = hours) -> object:
        decision = decide(caps, before, Terms(expires, False, hours), NOON)
        assert decision is not None and decision.reason == Reason.CONTACT_CAP
        assert decision.why.startswith("at most 1 contact a day; until 2026-03-03T11:00:00")
        assert decision.until == free
        return decision.action

    assert of(None) is Eligibility.WAIT
    assert of(free + HOUR) is Eligibility.WAIT
    assert of(free) is Eligibility.MISS
    # The calling hours open too late afterwards.
    night = CallingHours(time(20), time(21), ZoneInfo("UTC"))
    assert of(free + HOUR, night) is Eligibility.MISS
    assert decide(caps, [], Terms(None, False, hours), NOON) is None
