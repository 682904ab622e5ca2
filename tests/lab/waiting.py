"""Waiting for something that only can be looked at."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from tests.lab import speed

# A test that waits for so long asks how slow the machine is, again and again.
MEASURE_EVERY_SECONDS = 5.0
# Between two looks: short at first, then longer, because a look may cost a request to the service.
POLL_SECONDS = 0.02
POLL_GROWTH = 1.25
POLL_MOST_SECONDS = 0.25


async def until(
    condition: Callable[[], object | Awaitable[object]],
    seconds: float,
    what: str | Callable[[], str],
) -> None:
    """Return as soon as `condition()` is true. AssertionError `what` after `seconds` of a quick
    machine, which are more on a slow or busy one.
    """
    loop = asyncio.get_running_loop()
    started = measured = loop.time()
    slowest = speed.slowness()
    pause = POLL_SECONDS
    while True:
        found = condition()
        if isinstance(found, Awaitable):
            found = await found
            pause = min(pause * POLL_GROWTH, POLL_MOST_SECONDS)
        if found:
            return
        now = loop.time()
        if now - measured >= MEASURE_EVERY_SECONDS:
            await speed.measure_now()
            measured = loop.time()
        slowest = max(slowest, speed.slowness())
        if now - started >= seconds * slowest:
            message = what() if callable(what) else what
            raise AssertionError(
                f"not within {now - started:.1f} s ({seconds:g} s of a quick machine): {message}\n"
                f"{speed.account()}"
            )
        await asyncio.sleep(pause)


@asynccontextmanager
async def within(seconds: float, what: str) -> AsyncIterator[None]:
    """A block that ends within `seconds` of a quick machine. AssertionError `what` if not."""
    allowed = speed.limit(seconds)
    try:
        async with asyncio.timeout(allowed) as scope:
            yield
    except TimeoutError:
        if not scope.expired():
            raise
        raise AssertionError(
            f"not within {allowed:.1f} s ({seconds:g} s of a quick machine): {what}\n"
            f"{speed.account()}"
        ) from None
