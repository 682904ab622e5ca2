"""Turns to place a call, so that a crowd's originates do not pile up in Asterisk.

Asterisk carries the orders of a websocket out one after the other. A callee who has answered must
not wait behind calls that are only being dialled.
"""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from telealarm.asterisk.ari.errors import FateUnknown, Unreachable
from telealarm.clock import monotonic

# How many calls are placed at a time.
PLACES = 8


class Turns:
    """At most PLACES calls are placed at a time, first come first served."""

    def __init__(self, patience_seconds: float) -> None:
        self._patience_seconds = patience_seconds
        self._places = asyncio.Semaphore(PLACES)
        # When Asterisk last said what became of an originate, on the monotonic clock.
        self._answered_at = -math.inf

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Place a call within this. Raises Unreachable if Asterisk answers none before it."""
        await self._wait()
        answered = True
        try:
            yield
        except (FateUnknown, Unreachable):
            answered = False
            raise
        finally:
            if answered:
                self._answered_at = monotonic()
            self._places.release()

    async def _wait(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._patience_seconds):
                    await self._places.acquire()
                    return
            except TimeoutError:
                if monotonic() - self._answered_at > self._patience_seconds:
                    raise Unreachable("Asterisk does not answer the calls before it") from None
