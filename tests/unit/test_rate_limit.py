"""The pace of a trunk: no window above the cap, and hardly any of it unused."""

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from telealarm.rules import rate_limit

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CAPS = st.one_of(st.integers(1, 200).map(float), st.floats(0.05, 0.99))
LATE = st.floats(0, rate_limit.LATE_SECONDS)
# After how long Asterisk answers, and how long after that the network sees the call.
ANSWERS, SENT = st.floats(0, 0.5), st.floats(0, rate_limit.SENT_SECONDS)


def slots(cap: float, count: int, now: datetime = NOW) -> list[datetime]:
    """So many slots drawn one after the other, under load."""
    drawn: list[datetime] = []
    free_from = None
    for _ in range(count):
        drawn.append(rate_limit.slot(free_from, now, cap))
        free_from = drawn[-1] + rate_limit.interval(cap)
        while not rate_limit.is_near(free_from, now):
            now += timedelta(milliseconds=50)
    return drawn


def fullest_window(moments: list[float], seconds: float = 1.0) -> int:
    """The most of them that lie within any window of so many seconds."""
    moments = sorted(moments)
    return max(sum(first <= m < first + seconds for m in moments) for first in moments)


@given(CAPS, st.lists(LATE, min_size=2, max_size=60))
def test_no_second_has_more_than_the_cap_though_each_slot_is_missed_by_a_little(
    cap: float, late: list[float]
) -> None:
    drawn = slots(cap, len(late))
    left = [(s - NOW).total_seconds() + by for s, by in zip(drawn, late, strict=True)]
    assert fullest_window(left) <= math.ceil(cap)
    if cap < 1:
        assert all(b - a >= 1 / cap - 1e-6 for a, b in pairwise(left))


@given(CAPS)
def test_at_least_98_hundredths_of_the_cap_are_used(cap: float) -> None:
    drawn = slots(cap, 50)
    took = (drawn[-1] - drawn[0]).total_seconds()
    assert 0.98 * cap <= 49 / took <= cap


@given(CAPS)
def test_a_slot_lies_near_when_it_is_time_to_draw_again(cap: float) -> None:
    free_from = NOW + rate_limit.AHEAD + rate_limit.interval(cap)
    assert rate_limit.is_near(free_from, rate_limit.again(free_from))
    assert not rate_limit.is_near(free_from, NOW)


@given(CAPS, st.timedeltas(timedelta(seconds=1), timedelta(days=400)))
def test_a_clock_that_was_set_back_holds_up_no_call_for_long(cap: float, back: timedelta) -> None:
    free_from = slots(cap, 5)[-1] + rate_limit.interval(cap)
    at = rate_limit.slot(free_from, NOW - back, cap)
    assert at <= NOW - back + rate_limit.AHEAD + rate_limit.interval(cap)


@given(CAPS, st.lists(st.tuples(ANSWERS, SENT), min_size=2, max_size=80))
def test_no_second_has_more_though_asterisk_sends_a_call_after_its_answer(
    cap: float, waits: list[tuple[float, float]]
) -> None:
    window = rate_limit.Window(cap)
    now, left = 1000.0, []
    for answer, sent in waits:
        now = max(now, window.opens())
        window.leave(now).arrived(now + answer)
        left.append(now + answer + sent)
    assert fullest_window(left, 1.0 - 1e-9) <= math.ceil(cap)


@given(CAPS, st.lists(st.floats(0, 2.5), min_size=2, max_size=80))
def test_a_process_that_was_held_up_sends_no_burst_after_it(cap: float, waits: list[float]) -> None:
    """Calls come to the window whenever they like: some at once, some after a pause."""
    window = rate_limit.Window(cap)
    now, left = 1000.0, []
    for wait in waits:
        now = max(now + (wait if wait > 1 else 0), window.opens())
        left.append(now)
        departure = window.leave(now)
        if wait < 0.5:
            departure.arrived(now + wait / 100)
    assert fullest_window(left) <= math.ceil(cap)
    if cap < 1:
        assert all(b - a >= 1 / cap - 1e-6 for a, b in pairwise(left))
