"""When another worker's lease has run out, even if the wall clock has jumped meanwhile."""

from collections.abc import Mapping
from datetime import UTC, datetime

# The lease of a worker that ended in order: nobody has to wait for it.
ENDED = datetime(1970, 1, 2, tzinfo=UTC)
# No lease is longer (config.Worker), even if it seems so after the clock was put back.
LONGEST_SECONDS = 600.0


class Leases:
    """The leases of other workers, measured with the monotonic clock.

    The end of a lease is read when it is first seen. From then on the monotonic clock counts. So a
    jump of the wall clock neither ends the lease of a living worker nor extends that of a dead one.

    `grace_seconds`: how long to wait for a lease that is over when it is first seen. A living
    worker has this time to renew it.
    """

    def __init__(self, grace_seconds: float) -> None:
        self._grace = grace_seconds
        self._seen: dict[str, tuple[datetime, float]] = {}

    def lapsed(
        self, leases: Mapping[str, datetime], now: datetime, monotonic: float
    ) -> dict[str, datetime]:
        """Return those of these leases (by worker name) that have run out."""
        seen = {}
        for name, until in leases.items():
            known, ends = self._seen.get(name, (None, 0.0))
            if known != until:
                left = (until - now).total_seconds()
                ends = monotonic + min(max(left, self._grace), LONGEST_SECONDS)
            seen[name] = (until, ends)
        self._seen = seen
        return {
            name: until
            for name, (until, ends) in seen.items()
            if until == ENDED or monotonic >= ends
        }
