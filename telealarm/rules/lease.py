"""When another worker's lease has run out, whatever has become of the wall clock meanwhile."""

from collections.abc import Mapping
from datetime import UTC, datetime

# The lease of a worker that has ended in order: it need not be waited for.
ENDED = datetime(1970, 1, 2, tzinfo=UTC)
# No lease is longer (config.Worker), whatever it says after the clock was put back.
LONGEST_SECONDS = 600.0


class Leases:
    """Watches the leases of others: what one says is believed when it is first seen, and from
    then on the monotonic clock counts. So a clock that jumps ends no living worker's lease, and
    keeps no dead one's.

    `grace_seconds`: how long a lease that is over when it is first seen is waited for, so that a
    worker that lives has the time to renew it.
    """

    def __init__(self, grace_seconds: float) -> None:
        self._grace = grace_seconds
        self._seen: dict[str, tuple[datetime, float]] = {}

    def lapsed(
        self, leases: Mapping[str, datetime], now: datetime, monotonic: float
    ) -> dict[str, datetime]:
        """Of these leases, by the worker's name, those that have run out."""
        seen = {}
        for name, until in leases.items():
            said, ends = self._seen.get(name, (None, 0.0))
            if said != until:
                left = (until - now).total_seconds()
                ends = monotonic + min(max(left, self._grace), LONGEST_SECONDS)
            seen[name] = (until, ends)
        self._seen = seen
        return {
            name: until
            for name, (until, ends) in seen.items()
            if until == ENDED or monotonic >= ends
        }
