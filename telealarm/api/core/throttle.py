"""Limits wrong login attempts."""

import math
from collections import OrderedDict, deque

from telealarm import clock

WRONG_AT_MOST = 10
WINDOW_SECONDS = 60.0
KEYS = 5000


class Throttle:
    """Counts the wrong attempts of each key (a login name, an address) in a sliding minute.

    A key with ten wrong attempts is closed until the oldest is a minute old. While a key is closed,
    attempts are neither made nor counted. So a lock-out ends by itself, even if a program keeps
    asking.

    An attempt is counted before it is made. It is taken back if it was right. So parallel guesses
    are not more than guesses in turn.

    The memory is bounded: beyond 5000 keys, the key that was wrong longest ago is forgotten. To
    push a name out, an attacker would have to guess at 5000 other names within a minute. argon2id
    is too slow for that.
    """

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_seconds(self, key: str) -> int:
        """Return for how long `key` is closed, in whole seconds. 0: it is open."""
        wrong = self._wrong.get(key)
        if wrong is None or len(wrong) < WRONG_AT_MOST:
            return 0
        return max(0, math.ceil(wrong[0] + WINDOW_SECONDS - clock.monotonic()))

    def count(self, key: str) -> float:
        """Count an attempt of an open key. Return the time that `take_back` needs."""
        at = clock.monotonic()
        # If the queue is full, its oldest entry is over a minute old, because the key is open.
        # So the newest ten are enough.
        self._wrong.setdefault(key, deque(maxlen=WRONG_AT_MOST)).append(at)
        self._wrong.move_to_end(key)
        while len(self._wrong) > KEYS:
            self._wrong.popitem(last=False)
        return at

    def take_back(self, key: str, at: float) -> None:
        """Take back the attempt that was counted `at`: it was right."""
        wrong = self._wrong.get(key)
        if wrong is not None and at in wrong:
            wrong.remove(at)
            if not wrong:
                del self._wrong[key]
