"""The pacer: the calls of this process leave at their slots, and never in a burst."""

import asyncio

from telealarm.clock import monotonic
from telealarm.rules.rate_limit import Departure, Window
from telealarm.store.dialing import call_rate
from telealarm.store.dialing.call_rate import Slot
from telealarm.store.dialing.calls import Call
from telealarm.store.engine.database import Database

# How long before its slot a call is checked for the last time, and committed.
LEAD_SECONDS = 0.05
# How often a waiting call checks whether the window has opened.
WAIT_SECONDS = 0.005


class Pacer:
    """Makes each call of this process wait for its slot."""

    def __init__(self, db: Database) -> None:
        self._db = db
        # By gateway and cap: a new cap starts a new window.
        self._windows: dict[tuple[int, float], Window] = {}

    async def near(self, call: Call) -> None:
        """Return when it is time for the last check of the call."""
        at = call.at if call.slot is None else max(call.at, call.slot.at)
        if (left := at - LEAD_SECONDS - monotonic()) > 0:
            await asyncio.sleep(left)

    async def leave(self, call: Call) -> Departure | None:
        """Return when the call must be sent: at its slot, or at a new slot if it was missed."""
        if (left := call.at - monotonic()) > 0:
            await asyncio.sleep(left)
        slot = call.slot
        while slot is not None:
            window = self._window(slot)
            now = monotonic()
            if now < slot.at:
                await asyncio.sleep(slot.at - now)
            elif now < window.opens():
                await asyncio.sleep(min(window.opens() - now, WAIT_SECONDS))
            elif now > slot.at + slot.late_seconds:
                slot = await self._another(slot.gateway_id)
            else:
                return window.leave(now)
        return None

    async def _another(self, gateway_id: int) -> Slot | None:
        while True:
            result = await self._db.write(call_rate.redraw, gateway_id)
            if not isinstance(result, float):
                return result
            await asyncio.sleep(result - monotonic())

    def _window(self, slot: Slot) -> Window:
        key = slot.gateway_id, slot.calls_per_second
        known = self._windows.get(key)
        if known is None:
            for other in [other for other in self._windows if other[0] == slot.gateway_id]:
                del self._windows[other]
            known = self._windows[key] = Window(slot.calls_per_second)
        return known
