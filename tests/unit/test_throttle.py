"""Ten wrong attempts a minute, and then a pause that ends by itself."""

import pytest

from telealarm import clock
from telealarm.api.core import throttle
from telealarm.api.core.throttle import Throttle


class Turned:
    """A clock that is turned by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 1000.0
        monkeypatch.setattr(clock, "monotonic", lambda: self.seconds)


@pytest.fixture
def turned(monkeypatch: pytest.MonkeyPatch) -> Turned:
    return Turned(monkeypatch)


def test_the_eleventh_within_a_minute_waits_for_the_first_to_be_a_minute_old(
    turned: Turned,
) -> None:
    wrong = Throttle()
    for _ in range(10):
        assert wrong.wait_seconds("ann") == 0
        wrong.count("ann")
        turned.seconds += 2
    assert wrong.wait_seconds("ann") == 40
    assert wrong.wait_seconds("bob") == 0
    turned.seconds += 39.5
    assert wrong.wait_seconds("ann") == 1
    turned.seconds += 0.5
    assert wrong.wait_seconds("ann") == 0
    wrong.count("ann")
    # The minute slides: the second attempt was two seconds after the first.
    assert wrong.wait_seconds("ann") == 2


def test_what_was_right_is_not_counted(turned: Turned) -> None:
    wrong = Throttle()
    for _ in range(30):
        wrong.take_back("ann", wrong.count("ann"))
    assert wrong.wait_seconds("ann") == 0
    for _ in range(9):
        wrong.count("ann")
    right = wrong.count("ann")
    assert wrong.wait_seconds("ann") > 0
    wrong.take_back("ann", right)
    assert wrong.wait_seconds("ann") == 0


def test_the_memory_is_bounded_and_the_oldest_goes_first(
    turned: Turned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "KEYS", 3)
    wrong = Throttle()
    for name in ("ann", "bob", "carol"):
        for _ in range(10):
            wrong.count(name)
    wrong.take_back("ann", wrong.count("dave"))  # of one that is gone: nothing happens
    assert [wrong.wait_seconds(name) > 0 for name in ("ann", "bob", "carol")] == [
        False,
        True,
        True,
    ]
