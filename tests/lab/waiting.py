"""Waiting for something that only can be looked at."""

import asyncio
from collections.abc import Awaitable, Callable


async def until(
    condition: Callable[[], object | Awaitable[object]], seconds: float, what: str
) -> None:
    """Return as soon as `condition()` is true; AssertionError `what` after `seconds`."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        found = condition()
        if isinstance(found, Awaitable):
            found = await found
        if found:
            return
        if loop.time() >= deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        await asyncio.sleep(0.03)
