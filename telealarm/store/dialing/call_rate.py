"""The slots of the gateways. They are drawn from rows, so that all workers share one rate."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

from telealarm.clock import monotonic, utcnow
from telealarm.models import Gateway, Worker
from telealarm.rules import rate_limit
from telealarm.store.engine import dialect
from telealarm.store.engine.transition import put

# A worker that left this recently may still have calls on their way.
LEFT = timedelta(seconds=5)
# How often the clocks are read, until a reading takes no longer than this.
TRIES, EXACT_SECONDS = 5, 0.001


@dataclass(frozen=True)
class Slot:
    """When a call may leave, on this machine's monotonic clock.

    `late_seconds`: a slot that is missed by no more than this is still used.
    """

    gateway_id: int
    calls_per_second: float
    at: float
    late_seconds: float


class CallRate:
    """Draws slots within one transaction, by a clock that all workers share: the database's.

    The wall clocks of two workers may differ by more than a slot may be missed by. So only the
    distance from the database's clock is kept, on the monotonic clock. SQLite's workers are on one
    machine and share its clock.
    """

    def __init__(self) -> None:
        # By gateway: the clocks, read when its row was locked. A time from before the lock would be
        # older than the slots that another worker drew meanwhile.
        self._clocks: dict[int, Reading] = {}
        self._late_seconds: float | None = None
        # The gateways asked for, locked, with their next slot in this transaction.
        self._gateways: dict[int, Gateway] = {}
        self._free_from: dict[int, datetime] = {}
        # For gateways without a near slot: when new calls may draw again (monotonic clock).
        self.again: dict[int, float] = {}

    def exhausted(self, paced: Iterable[int]) -> list[int]:
        """Return those of these gateways that have no slot near enough for a new call."""
        return [gateway_id for gateway_id in paced if not self.is_near(gateway_id)]

    def has_pace(self, gateway_id: int) -> bool:
        """Return whether the gateway has a cap of calls per second."""
        return bool(self._locked(gateway_id).calls_per_second)

    def is_near(self, gateway_id: int) -> bool:
        """Return whether a new call may draw a slot of this gateway, which has a cap."""
        clock = self._clock(gateway_id)
        at = self._next(gateway_id)
        if rate_limit.is_near(at, clock.now):
            return True
        self.again[gateway_id] = clock.monotonic(rate_limit.again(at))
        return False

    def draw(self, gateway_id: int, ahead: timedelta = timedelta(0)) -> Slot | None:
        """Draw the next slot of the gateway, which is near, but not before `ahead` has passed.

        Returns None if the gateway has no cap. Call `keep` after the last one.
        """
        if not self.has_pace(gateway_id):
            return None
        gateway = self._locked(gateway_id)
        calls_per_second = gateway.calls_per_second
        clock = self._clock(gateway_id)
        at = max(self._next(gateway_id), clock.now + ahead)
        self._free_from[gateway_id] = at + rate_limit.interval(calls_per_second)
        return Slot(
            gateway_id=gateway_id,
            calls_per_second=calls_per_second,
            at=clock.monotonic(at),
            late_seconds=self._late(),
        )

    def keep(self) -> None:
        """Save the next slots of the gateways of which slots were drawn."""
        for gateway_id, free_from in self._free_from.items():
            # The slots of this transaction may be late by the doubt, all by the same time.
            doubt = self._clock(gateway_id).doubt
            put(self._locked(gateway_id), next_slot=free_from + doubt)

    def _next(self, gateway_id: int) -> datetime:
        """Return the next slot of the gateway, by the shared clock."""
        gateway, clock = self._locked(gateway_id), self._clock(gateway_id)
        free_from = self._free_from.get(gateway_id, gateway.next_slot)
        return rate_limit.slot(free_from, clock.now, gateway.calls_per_second)

    def _locked(self, gateway_id: int) -> Gateway:
        known = self._gateways.get(gateway_id)
        if known is None:
            query = Gateway.select().where(Gateway.id == gateway_id)
            # Not FOR UPDATE: calls that refer to the gateway are written all the time.
            query = dialect.lock_rows(query, "FOR NO KEY UPDATE")
            known = self._gateways[gateway_id] = query.get()
        return known

    def _clock(self, gateway_id: int) -> "Reading":
        """Return the clocks, read once in a transaction after the gateway was locked."""
        known = self._clocks.get(gateway_id)
        if known is None:
            self._locked(gateway_id)
            known = self._clocks[gateway_id] = _read_clocks()
        return known

    def _late(self) -> float:
        """Return how late a call may be. A worker without others manages its late calls itself."""
        if self._late_seconds is None:
            alive = Worker.lease_until > utcnow() - LEFT
            alone = Worker.select().where(alive).count() <= 1
            self._late_seconds = math.inf if alone else rate_limit.LATE_SECONDS
        return self._late_seconds


@dataclass(frozen=True)
class Reading:
    """The shared clock, and the monotonic clock at that moment or up to `doubt` later."""

    now: datetime
    at: float
    doubt: timedelta

    def monotonic(self, moment: datetime) -> float:
        """Return a moment of the shared clock on the monotonic clock: never too early."""
        return self.at + (moment - self.now).total_seconds()


def _read_clocks() -> Reading:
    """Read both clocks. The answer may be slow to come, so the quickest of several is used."""
    readings = []
    for _ in range(TRIES):
        before = monotonic()
        now = dialect.shared_now(Gateway._meta.database)
        after = monotonic()
        took = after - before
        doubt = timedelta(seconds=took if took > EXACT_SECONDS else 0)
        readings.append(Reading(now, after, doubt))
        if not doubt:
            break
    return min(readings, key=attrgetter("doubt"))


def redraw(gateway_id: int) -> Slot | float | None:
    """Return another slot for a call that missed its own, or when (monotonic) to ask again.

    Returns None if the gateway has no cap any more.
    """
    rate = CallRate()
    if rate.has_pace(gateway_id) and not rate.is_near(gateway_id):
        return rate.again[gateway_id]
    slot = rate.draw(gateway_id)
    rate.keep()
    return slot
