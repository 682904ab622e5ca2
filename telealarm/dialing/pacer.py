"""The turnstile: the calls of this process leave at their slots, and never in a burst."""

import asyncio

from telealarm.clock import monotonic
from telealarm.rules.rate_limit import Departure, Window
from telealarm.store.dialing import call_rate
from telealarm.store.dialing.call_rate import Slot
from telealarm.store.dialing.calls import Call
from telealarm.store.engine.database import Database

# How long before its slot a call is looked at for the last time, and committed.
LEAD_SECONDS = 0.05
# How often a call that is held up looks whether the window has opened.
LOOK_SECONDS = 0.005


class Pacer:
    def __init__(self, db: Database) -> None:
        self._db = db
        # By gateway and cap: an edit of the cap begins a window anew.
        self._windows: dict[tuple[int, float], Window] = {}

    async def near(self, call: Call) -> None:
        """Return when it is time for the last look at the call."""
        at = call.at if call.slot is None else max(call.at, call.slot.at)
        if (left := at - LEAD_SECONDS - monotonic()) > 0:
            await asyncio.sleep(left)

    async def leave(self, call: Call) -> Departure | None:
        """Return when the call is to be sent: at its slot, or at another if it was missed."""
        if (left := call.at - monotonic()) > 0:
            await asyncio.sleep(left)
        slot = call.slot
        while slot is not None:
            window = self._window(slot)
            now = monotonic()
            if now < slot.at:
                await asyncio.sleep(slot.at - now)
            elif now < window.opens():
                await asyncio.sleep(min(window.opens() - now, LOOK_SECONDS))
            elif now > slot.at + slot.late_seconds:
                slot = await self._another(slot.gateway_id)
            else:
                return window.leave(now)
        return None

    async def _another(self, gateway_id: int) -> Slot | None:
        while True:
            found = await self._db.write(call_rate.redraw, gateway_id)
            if not isinstance(found, float):
                return found
            await asyncio.sleep(found - monotonic())

    def _window(self, slot: Slot) -> Window:
        key = slot.gateway_id, slot.calls_per_second
        known = self._windows.get(key)
        if known is None:
            for other in [other for other in self._windows if other[0] == slot.gateway_id]:
                del self._windows[other]
            known = self._windows[key] = Window(slot.calls_per_second)
        return known
