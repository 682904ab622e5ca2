"""How many wrong PINs are taken. Each one fills a bucket, which leaks.

Two buckets, so that callers who withhold their number never keep out those who call from the
callee's own. A forged caller id fills the latter. So it is large and leaks fast: who calls from the
right phone waits for minutes, and still nobody can try more than some hundred PINs a day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Bucket:
    """`most` wrong PINs at once, then one for each `every`."""

    most: int
    every: timedelta

    def takes(self, wrong: Sequence[datetime], now: datetime) -> bool:
        """Return whether another PIN may be tried, after those wrong ones (the oldest first)."""
        empty_at = now - self.window
        for at in wrong:
            empty_at = max(empty_at, at) + self.every
        return empty_at - now <= (self.most - 1) * self.every

    @property
    def window(self) -> timedelta:
        """Return the age at which a wrong PIN does not count any more."""
        return self.most * self.every


OWN_NUMBER = Bucket(20, timedelta(minutes=5))
WITHHELD = Bucket(9, timedelta(minutes=20))
