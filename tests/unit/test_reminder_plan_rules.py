"""Which steps of a reminder plan an event owes, and when: with clock changes, and for any times."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telealarm.rules import dates
from telealarm.rules import reminder_plan as rules
from telealarm.rules.reminder_plan import Occasion, Step
from telealarm.words import Reason, StepTrigger

MADRID = ZoneInfo("Europe/Madrid")
HOUR, DAY = 3600, 86400
BEFORE, AFTER = StepTrigger.BEFORE, StepTrigger.AFTER


def occasion(
    start: str, *, hours: float = 1, booked: str = "2026-01-01 12:00", zone: ZoneInfo = MADRID
) -> Occasion:
    begins = dates.to_utc(datetime.fromisoformat(start), zone)
    ends = begins + timedelta(hours=hours)
    return Occasion(begins, ends, zone, dates.to_utc(datetime.fromisoformat(booked), zone))


def local(moment: datetime) -> str:
    return f"{moment.astimezone(MADRID):%m-%d %H:%M%z}"


@pytest.mark.parametrize(
    ("start", "step", "expected"),
    [
        # The clock is put on in the night to 29 March, and back in the night to 25 October 2026.
        ("2026-03-29 09:00", Step(1, BEFORE, DAY), "03-28 09:00+0100"),
        ("2026-10-25 09:00", Step(1, BEFORE, DAY), "10-24 09:00+0200"),
        ("2026-03-28 09:00", Step(1, AFTER, DAY), "03-29 10:00+0200"),
        ("2026-10-24 09:00", Step(1, AFTER, DAY), "10-25 10:00+0100"),
        # 02:30 is skipped on 29 March, and comes twice on 25 October: the first counts.
        ("2026-03-30 02:30", Step(1, BEFORE, DAY), "03-29 03:30+0200"),
        ("2026-10-26 02:30", Step(1, BEFORE, DAY), "10-25 02:30+0200"),
        ("2026-06-01 09:00", Step(1, BEFORE, 0), "06-01 09:00+0200"),
        ("2026-06-01 09:00", Step(1, AFTER, 0), "06-01 10:00+0200"),
    ],
)
def test_an_offset_is_a_distance_on_the_wall_clock(start: str, step: Step, expected: str) -> None:
    assert local(rules.due(step, occasion(start))) == expected


def test_after_counts_from_the_end_on_the_clock_also_if_it_changes_within_the_event() -> None:
    night = occasion("2026-03-29 01:00", hours=3)  # until 05:00 in summer time
    assert local(night.end) == "03-29 05:00+0200"
    assert rules.offset(Step(1, AFTER, HOUR), night) == 5 * HOUR
    assert local(rules.due(Step(1, AFTER, HOUR), night)) == "03-29 06:00+0200"


def test_nobody_is_asked_before_the_end_if_the_clock_is_put_back_within_the_event() -> None:
    night = occasion("2026-10-25 01:30", hours=2)  # until the second 02:30
    assert rules.due(Step(1, AFTER, 0), night) == night.end


def test_only_the_nearest_of_the_steps_that_have_passed_goes_out() -> None:
    steps = [Step(n, BEFORE, hours * HOUR) for n, hours in enumerate((72, 24, 3, 1))]
    now = datetime(2026, 6, 1, 5, 0, tzinfo=UTC)  # 7:00 in Madrid, two hours ahead
    assert rules.not_owed(steps, occasion("2026-06-01 09:00"), now) == {
        0: Reason.LATER_STEP,
        1: Reason.LATER_STEP,
    }
    assert rules.not_owed(steps, occasion("2026-06-09 09:00"), now) == {}


def test_a_step_for_early_bookings_gives_way_to_the_step_before_it() -> None:
    steps = [Step(1, BEFORE, 72 * HOUR), Step(2, BEFORE, 24 * HOUR, booked_ahead_hours=48)]
    soon = occasion("2026-06-01 09:00", booked="2026-05-31 20:00")
    assert rules.not_owed(steps, soon, soon.booked) == {2: Reason.BOOKED_LATE}


@pytest.mark.parametrize(("hours", "late"), [(23, False), (24, True), (25, True)])
def test_booked_more_than_so_many_hours_ahead(hours: int, late: bool) -> None:
    on = occasion("2026-06-02 09:00", booked="2026-06-01 09:00")
    assert rules.booked_late(Step(1, BEFORE, 0, booked_ahead_hours=hours), on) is late


def test_types() -> None:
    step = Step(1, BEFORE, types=("Dentist", "x-ray"))
    assert step.is_for(" dentist")
    assert not step.is_for("surgery")
    assert not step.is_for("")
    assert Step(1, BEFORE).is_for("anything")


@pytest.mark.parametrize(
    ("result", "trigger", "condition", "settled"),
    [
        (1, BEFORE, False, False),
        (1, BEFORE, True, True),
        (0, BEFORE, True, False),
        (2, BEFORE, False, True),
        (3, AFTER, False, True),
        (7, BEFORE, False, False),
        (2, StepTrigger.MOVED, True, False),
        (2, StepTrigger.CANCELLED, True, False),
    ],
)
def test_what_an_answer_calls_off(
    result: int, trigger: str, condition: bool, settled: bool
) -> None:
    assert rules.is_settled(result, trigger, only_if_unanswered=condition) is settled


_STEPS = st.lists(
    st.tuples(
        st.sampled_from([BEFORE, AFTER, StepTrigger.BOOKED]),
        st.integers(0, 30 * DAY),
        st.none() | st.integers(0, 200),
    ),
    max_size=6,
).map(lambda rows: [Step(n, *row) for n, row in enumerate(rows)])
_MINUTES = st.integers(0, 2 * 366 * 24 * 60).map(lambda n: datetime(2026, 1, 1) + n * _MINUTE)
_MINUTE = timedelta(minutes=1)
_ZONES = st.sampled_from(["Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "UTC"])


@given(_STEPS, _MINUTES, st.integers(-40 * DAY, 40 * DAY), _ZONES)
def test_late_notices_are_for_one_moment_and_nothing_ahead_is_lost(
    steps: list[Step], start: datetime, ahead: int, name: str
) -> None:
    on = occasion(start.isoformat(), zone=ZoneInfo(name), booked="2025-12-01 12:00")
    now = on.start - timedelta(seconds=ahead)
    reasons = rules.not_owed(steps, on, now)
    owed = [step for step in steps if step.trigger == BEFORE and step.id not in reasons]
    late = {rules.due(step, on) for step in owed if rules.due(step, on) <= now}
    assert len(late) <= 1
    for step in steps:
        if step.booked_ahead_hours is None and rules.due(step, on) > now:
            assert step.id not in reasons


@given(_MINUTES, st.integers(3 * HOUR, 60 * DAY), _ZONES, st.sampled_from([BEFORE, AFTER]))
def test_an_offset_never_turns_over(start: datetime, seconds: int, name: str, way: str) -> None:
    on = occasion(start.isoformat(), zone=ZoneInfo(name))
    moment = rules.due(Step(1, way, seconds), on)
    assert moment < on.start if way == BEFORE else moment > on.end
    wall = on.wall - timedelta(seconds=seconds)
    if way == BEFORE and not dates.clock_change(moment, on.zone, wall):
        shown = moment.astimezone(on.zone).replace(tzinfo=None)
        assert shown == wall or on.start - moment == timedelta(seconds=seconds)
