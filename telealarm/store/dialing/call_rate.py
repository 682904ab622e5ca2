"""The slots of the gateways, drawn from their rows so that several workers share one pace."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter

from telealarm.clock import monotonic, utcnow
from telealarm.models import Gateway, Worker
from telealarm.rules import rate_limit
from telealarm.store.engine import dialect
from telealarm.store.engine.transition import put

# A worker that has just left may have calls on their way.
LEFT = timedelta(seconds=5)
# How often the clocks are read, until a reading took no longer than this.
TRIES, EXACT_SECONDS = 5, 0.001


@dataclass(frozen=True)
class Slot:
    """When a call may leave, on this machine's monotonic clock.

    `late_seconds` is by how much it may be missed and still be used.
    """

    gateway_id: int
    calls_per_second: float
    at: float
    late_seconds: float


class CallRate:
    """Draws slots within one transaction, on one clock for all workers: the database's.

    A worker's own wall clock differs from another's by more than a slot may be missed by; so only
    the distance from the database's now is kept, on the monotonic clock. SQLite's workers are on
    one machine and share its clock.
    """

    def __init__(self) -> None:
        self._clock: tuple[datetime, float] | None = None
        self._late_seconds: float | None = None
        # The gateways asked for, with their next slot as this transaction has it; locked.
        self._gateways: dict[int, Gateway] = {}
        # When new calls may draw again, on the monotonic clock, of those that had no slot near.
        self.again: dict[int, float] = {}

    def exhausted(self) -> list[int]:
        """The ids of the gateways that have no slot near enough for a new call."""
        drawn = (Gateway.calls_per_second > 0) & Gateway.next_slot.is_null(False)
        ids = [row.id for row in Gateway.select(Gateway.id).where(drawn)]
        return [gateway_id for gateway_id in ids if not self.is_near(gateway_id)]

    def has_pace(self, gateway_id: int) -> bool:
        """Whether the gateway has a cap of calls per second."""
        return bool(self._locked(gateway_id).calls_per_second)

    def is_near(self, gateway_id: int) -> bool:
        """Whether a new call may draw a slot of this gateway, which has a pace."""
        gateway = self._locked(gateway_id)
        now, monotonic_now = self._now()
        at = rate_limit.slot(gateway.next_slot, now, gateway.calls_per_second)
        if rate_limit.is_near(at, now):
            return True
        self.again[gateway_id] = monotonic_now + (rate_limit.again(at) - now).total_seconds()
        return False

    def draw(self, gateway_id: int, ahead: timedelta = timedelta(0)) -> Slot | None:
        """The next slot of the gateway, which is near, but not before the time `ahead` has passed.

        None where it has no pace.
        """
        if not self.has_pace(gateway_id):
            return None
        gateway = self._locked(gateway_id)
        calls_per_second = gateway.calls_per_second
        now, monotonic_now = self._now()
        at = max(rate_limit.slot(gateway.next_slot, now, calls_per_second), now + ahead)
        put(gateway, next_slot=at + rate_limit.interval(calls_per_second))
        return Slot(
            gateway_id=gateway_id,
            calls_per_second=calls_per_second,
            at=monotonic_now + (at - now).total_seconds(),
            late_seconds=self._late(),
        )

    def _locked(self, gateway_id: int) -> Gateway:
        known = self._gateways.get(gateway_id)
        if known is None:
            query = Gateway.select().where(Gateway.id == gateway_id)
            # Not FOR UPDATE: calls that refer to the gateway are written all the time.
            query = dialect.lock_rows(query, "FOR NO KEY UPDATE")
            known = self._gateways[gateway_id] = query.get()
        return known

    def _now(self) -> tuple[datetime, float]:
        """The shared clock and ours, read together once a transaction."""
        if self._clock is None:
            self._clock = _read_clocks()
        return self._clock

    def _late(self) -> float:
        """A worker that has no other beside it sees to its own late calls."""
        if self._late_seconds is None:
            alive = Worker.lease_until > utcnow() - LEFT
            alone = Worker.select().where(alive).count() <= 1
            self._late_seconds = math.inf if alone else rate_limit.LATE_SECONDS
        return self._late_seconds


def _read_clocks() -> tuple[datetime, float]:
    """The clock that the workers share, and our monotonic one at the same moment.

    This thread may be held up between the two, so the quickest of some readings is taken.
    """
    readings = []
    for _ in range(TRIES):
        before = monotonic()
        now = dialect.shared_now(Gateway._meta.database)
        took = monotonic() - before
        readings.append((took, now, before + took / 2))
        if took < EXACT_SECONDS:
            break
    _, now, at = min(readings, key=itemgetter(0))
    return now, at


def redraw(gateway_id: int) -> Slot | float | None:
    """Another slot for a call that missed its own, or when (monotonic) to ask again for one.

    None where the gateway has no pace any more.
    """
    pace = CallRate()
    if pace.has_pace(gateway_id) and not pace.is_near(gateway_id):
        return pace.again[gateway_id]
    return pace.draw(gateway_id)
