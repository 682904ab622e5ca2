"""How often somebody may be wrong."""

import math
from collections import OrderedDict, deque

from telealarm import clock

WRONG_AT_MOST = 10
WINDOW_SECONDS = 60.0
KEYS = 5000


class Throttle:
    """Counts the wrong attempts of each key (a login name, an address) in a sliding minute.

    A key with ten of them is shut until the oldest is a minute old. Attempts while it is shut are
    not made and not counted, so a lock-out ends by itself, even for a program that keeps asking.

    An attempt is counted before it is made and taken back if it was right, so guesses made at
    once are not more than those made in turn. What is kept is bounded: past 5000 keys the one
    that was wrong longest ago is forgotten. To flush a name out, 5000 others would have to be
    guessed at within a minute, which is more than argon2id lets be checked in it.
    """

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_seconds(self, key: str) -> int:
        """For how long `key` is shut, in whole seconds; 0: it is open."""
        wrong = self._wrong.get(key)
        if wrong is None or len(wrong) < WRONG_AT_MOST:
            return 0
        return max(0, math.ceil(wrong[0] + WINDOW_SECONDS - clock.monotonic()))

    def count(self, key: str) -> float:
        """Note an attempt of a key that is open; returns what `take_back` needs."""
        at = clock.monotonic()
        # Full, its oldest is over a minute old, or the key were shut: the newest ten are enough.
        self._wrong.setdefault(key, deque(maxlen=WRONG_AT_MOST)).append(at)
        self._wrong.move_to_end(key)
        while len(self._wrong) > KEYS:
            self._wrong.popitem(last=False)
        return at

    def take_back(self, key: str, at: float) -> None:
        """The attempt counted `at` was right."""
        wrong = self._wrong.get(key)
        if wrong is not None and at in wrong:
            wrong.remove(at)
            if not wrong:
                del self._wrong[key]
