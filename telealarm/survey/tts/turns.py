"""Turns by tenant: who renders next, if many texts wait for a few places.

A tenant is a manager, or this product itself with its own texts. No tenant holds the last place, so
a text of another tenant need not wait until a long one is spoken. Among the tenants that wait, the
one that holds the fewest places is next; among equals, the one whose turn was longest ago.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from telealarm.errors import SpeechError

# The most texts of one tenant that wait. Each belongs to a call or to the prefetch.
MOST_WAITING = 2000


class Turns:
    """`places` for all tenants together; one tenant holds all but one of them at most."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._of_one = max(1, places - 1)
        self._held: Counter[int] = Counter()
        # The tenants that wait, in the order of their turns.
        self._waiting: OrderedDict[int, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, tenant: int) -> AsyncIterator[None]:
        """Hold a place for `tenant`; wait for one if need be.

        Raises SpeechError if too many texts of the tenant wait already.
        """
        await self._enter(tenant)
        try:
            yield
        finally:
            self._leave(tenant)

    async def _enter(self, tenant: int) -> None:
        queue = self._waiting.setdefault(tenant, deque())
        if len(queue) >= MOST_WAITING:
            raise SpeechError(f"{MOST_WAITING} texts of this manager wait to be rendered already")
        place = asyncio.get_running_loop().create_future()
        queue.append(place)
        self._serve()
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                self._forget(tenant, place)
            else:
                self._leave(tenant)  # the place was given in the same moment
            raise

    def _leave(self, tenant: int) -> None:
        self._free += 1
        self._held[tenant] -= 1
        if not self._held[tenant]:
            del self._held[tenant]
        self._serve()

    def _forget(self, tenant: int, place: "asyncio.Future[None]") -> None:
        queue = self._waiting.get(tenant)
        if queue is not None and place in queue:
            queue.remove(place)
            if not queue:
                del self._waiting[tenant]

    def _serve(self) -> None:
        """Give the free places to those whose turn it is."""
        while self._free:
            entitled = [one for one in self._waiting if self._held[one] < self._of_one]
            if not entitled:
                return
            tenant = min(entitled, key=lambda one: self._held[one])
            queue = self._waiting[tenant]
            place = queue.popleft()
            if queue:
                self._waiting.move_to_end(tenant)
            else:
                del self._waiting[tenant]
            if not place.done():
                self._free -= 1
                self._held[tenant] += 1
                place.set_result(None)
