"""Leases of workers under clocks that jump."""

from datetime import UTC, datetime, timedelta

import pytest

from telealarm.rules.lease import ENDED, LONGEST_SECONDS, Leases

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LEASE = timedelta(seconds=30)
JUMPS = [timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)]


def test_a_lease_that_is_renewed_lasts_and_one_that_is_not_runs_out() -> None:
    leases = Leases(20)
    for seconds in range(0, 100, 10):
        now = NOON + timedelta(seconds=seconds)
        assert leases.lapsed({"b": now + LEASE}, now, seconds) == {}
    dead = {"b": NOON + timedelta(seconds=90) + LEASE}
    assert leases.lapsed(dead, NOON + timedelta(seconds=119), 119) == {}
    assert leases.lapsed(dead, NOON + timedelta(seconds=121), 121) == dead


@pytest.mark.parametrize("jump", [*JUMPS, *(-jump for jump in JUMPS)])
def test_a_clock_that_jumps_ends_no_lease_of_a_worker_that_lives(jump: timedelta) -> None:
    leases = Leases(20)
    until = NOON + LEASE
    assert leases.lapsed({"b": until}, NOON, 0) == {}
    # The clock has jumped, and b has not yet renewed by the new one.
    now = NOON + jump + timedelta(seconds=10)
    assert leases.lapsed({"b": until}, now, 10) == {}
    assert leases.lapsed({"b": now + LEASE}, now + timedelta(seconds=10), 20) == {}


@pytest.mark.parametrize("jump", [*JUMPS, *(-jump for jump in JUMPS)])
def test_a_clock_that_jumps_keeps_no_lease_of_a_worker_that_died(jump: timedelta) -> None:
    leases = Leases(20)
    dead = {"b": NOON + LEASE}
    assert leases.lapsed(dead, NOON, 0) == {}
    assert leases.lapsed(dead, NOON + jump + LEASE, 31) == dead


def test_a_lease_that_is_over_when_it_is_first_seen_has_the_time_to_be_renewed() -> None:
    leases = Leases(20)
    old = {"b": NOON - timedelta(days=3)}
    assert leases.lapsed(old, NOON, 1000) == {}
    assert leases.lapsed(old, NOON, 1021) == old


def test_a_lease_in_the_far_future_is_as_long_as_any_can_be() -> None:
    leases = Leases(20)
    far = {"b": NOON + timedelta(days=1)}
    assert leases.lapsed(far, NOON, 0) == {}
    assert leases.lapsed(far, NOON, LONGEST_SECONDS) == far


def test_a_worker_that_ended_in_order_is_not_waited_for() -> None:
    assert Leases(20).lapsed({"b": ENDED}, NOON, 0) == {"b": ENDED}
