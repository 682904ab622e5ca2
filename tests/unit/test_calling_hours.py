"""Calling hours, days and holidays, expiry, and the decision that admission and plan share."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telealarm.rules import calling_hours, eligibility
from telealarm.rules.calling_hours import CallingHours
from telealarm.rules.eligibility import Eligibility, Terms

MADRID = ZoneInfo("Europe/Madrid")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
WORKDAYS = frozenset(range(5))
MINUTE = timedelta(minutes=1)


def madrid(hour: int, minute: int = 0, day: int = 2) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=MADRID)


@pytest.mark.parametrize(
    ("at", "start", "stop", "opens"),
    [
        (madrid(12), time(8), time(20), madrid(12)),
        (madrid(7), time(8), time(20), madrid(8)),
        (madrid(20, 0), time(8), time(20), madrid(20, 0)),
        (madrid(20, 1), time(8), time(20), madrid(8, day=3)),
        (madrid(23), time(22), time(6), madrid(23)),
        (madrid(3), time(22), time(6), madrid(3)),
        (madrid(12), time(22), time(6), madrid(22)),
        (madrid(3), time(0), time(23, 59, 59), madrid(3)),
    ],
)
def test_calling_hours_are_the_recipients_own(
    at: datetime, start: time, stop: time, opens: datetime
) -> None:
    assert CallingHours(start, stop, MADRID).opening(at) == opens


def test_the_last_second_of_the_day_is_open_to_its_end() -> None:
    late = datetime(2026, 3, 2, 23, 59, 59, 900_000, tzinfo=MADRID)
    assert CallingHours(time(0), time(23, 59, 59), MADRID).opening(late) == late


def test_hours_that_begin_in_the_gap_of_the_clock_open_when_the_gap_is_over() -> None:
    night = datetime(2026, 3, 28, 23, 0, tzinfo=MADRID)
    opens = CallingHours(time(2, 30), time(5), MADRID).opening(night)
    assert opens == datetime(2026, 3, 29, 3, 0, tzinfo=MADRID)


def test_hours_that_come_twice_are_open_twice() -> None:
    hours = CallingHours(time(2, 15), time(2, 45), MADRID)
    between = datetime(2026, 10, 25, 0, 50, tzinfo=UTC)  # 02:50, the first time
    assert hours.opening(between) == datetime(2026, 10, 25, 1, 15, tzinfo=UTC)


def test_a_friday_night_lasts_until_saturday_morning_where_only_workdays_are_called() -> None:
    hours = CallingHours(time(22), time(6), MADRID, WORKDAYS)
    saturday = madrid(3, day=7)
    assert hours.opening(saturday) == saturday
    assert hours.opening(madrid(7, day=7)) == madrid(22, day=9)  # Monday
    # Monday's small hours belong to Sunday.
    assert hours.opening(madrid(3, day=9)) == madrid(22, day=9)


def test_nobody_is_rung_on_a_holiday() -> None:
    holidays = frozenset({date(2026, 3, 3), date(2026, 3, 4)})
    hours = CallingHours(time(8), time(20), MADRID, WORKDAYS, holidays)
    assert hours.opening(madrid(21)) == madrid(8, day=5)


def test_hours_that_do_not_open_within_a_year_do_not_open() -> None:
    assert CallingHours(time(8), time(20), MADRID, frozenset()).opening(NOON) is None
    mondays = frozenset(date(2026, 3, 2) + timedelta(weeks=week) for week in range(60))
    hours = CallingHours(time(8), time(9), MADRID, frozenset({0}), mondays)
    assert hours.opening(NOON) is None


def oracle(hours: CallingHours, at: datetime) -> datetime | None:
    """Minute by minute, by the words of the rule alone."""
    for minutes in range(10 * 24 * 60):
        now = at + minutes * MINUTE
        there = now.astimezone(hours.zone)
        day, clock = there.date(), there.time()
        if hours.start > hours.stop and clock < hours.start:
            day -= timedelta(days=1)
            inside = clock <= hours.stop
        else:
            inside = hours.start <= clock and (hours.start > hours.stop or clock <= hours.stop)
        if inside and day.isoweekday() - 1 in hours.days and day not in hours.holidays:
            return now
    return None


clocks = st.builds(time, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 59]))
# The nights on which clocks change are as likely as all the others together.
turns = st.sampled_from(
    [
        datetime(2026, 3, 28, 12),
        datetime(2026, 10, 24, 12),
        datetime(2026, 3, 7, 18),
        datetime(2026, 10, 31, 18),
        datetime(2026, 4, 4, 3),
        datetime(2026, 10, 3, 3),
        datetime(2026, 4, 23, 12),
        datetime(2011, 12, 29, 0),
    ]
)


# The oracle takes its time; a busy machine more of it.
@settings(deadline=None)
@given(
    st.one_of(st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1)), turns),
    st.integers(0, 2 * 24 * 60),
    clocks,
    clocks,
    st.sampled_from(
        [
            "Europe/Madrid",
            "America/New_York",
            "America/Havana",
            "Africa/Cairo",
            "Australia/Lord_Howe",
            "Pacific/Apia",
            "UTC",
        ]
    ),
    st.frozensets(st.integers(0, 6)),
    st.frozensets(st.integers(0, 5)),
)
def test_the_opening_is_the_first_minute_that_lies_within_the_hours(
    naive: datetime,
    minutes: int,
    start: time,
    stop: time,
    zone: str,
    days: frozenset[int],
    free: frozenset[int],
) -> None:
    at = (naive + minutes * MINUTE).replace(second=0, microsecond=0, tzinfo=UTC)
    holidays = frozenset(at.date() + timedelta(days=ahead) for ahead in free)
    hours = CallingHours(start, stop, ZoneInfo(zone), days, holidays)
    expected = oracle(hours, at)
    opens = hours.opening(at)
    if expected is None:
        assert opens is None or opens >= at + timedelta(days=10)
    else:
        assert opens == expected


def test_a_reminder_expires_at_its_event_and_a_wake_up_at_the_events_end() -> None:
    start, end = NOON, NOON + timedelta(hours=1)

    def expiry(due: datetime, lateness: int | None = None, policy: str = "inform") -> datetime:
        return calling_hours.expiry(
            due=due,
            start=start,
            end=end,
            max_lateness_seconds=lateness,
            missed_policy=policy,
        )

    day_before = NOON - timedelta(hours=24)
    assert expiry(day_before) == start
    assert expiry(NOON) == end
    assert expiry(NOON, lateness=90) == NOON + timedelta(seconds=90)
    assert expiry(day_before, policy="run") == end
    assert expiry(day_before, policy="skip") == start
    # What is said in seconds is meant.
    assert expiry(day_before, lateness=90, policy="run") == day_before + timedelta(seconds=90)


# The decision


def terms(**changes: object) -> Terms:
    values: dict[str, object] = {
        "expires": NOON + timedelta(hours=8),
        "forbidden": False,
        "hours": CallingHours(time(8), time(14), MADRID),
        **changes,
    }
    return Terms(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "action", "reason"),
    [
        ({}, Eligibility.GO, ""),
        ({"expires": NOON}, Eligibility.MISS, "late"),
        ({"expires": None}, Eligibility.GO, ""),
        ({"forbidden": True}, Eligibility.FAIL, "do_not_call"),
        ({"hours": None}, Eligibility.FAIL, "no_calendar_setting"),
        (
            {"hours": CallingHours(time(8), time(9), MADRID, frozenset())},
            Eligibility.MISS,
            "no_opening",
        ),
        ({"hours": CallingHours(time(14), time(20), MADRID)}, Eligibility.WAIT, "calling_hours"),
        # They open when nobody wants it any more: that is known now.
        ({"hours": CallingHours(time(8), time(9), MADRID)}, Eligibility.MISS, "calling_hours"),
    ],
)
def test_an_attempt_goes_out_or_waits_or_ends_with_its_reason(
    changes: dict[str, object], action: Eligibility, reason: str
) -> None:
    decision = eligibility.decide(terms(**changes), NOON)
    assert (decision.action, decision.reason) == (action, reason)


def test_a_decision_to_wait_says_until_when() -> None:
    decision = eligibility.decide(terms(hours=CallingHours(time(14), time(20), MADRID)), NOON)
    assert decision.until == NOON + timedelta(hours=1)
    assert decision.why == "calling hours until 2026-03-02T13:00:00+00:00"
