"""How slow this machine is now, so that a time limit means the same on every machine.

A limit in the tests is written for a quick machine at rest. `limit` multiplies it by the slowness,
which is the largest of three figures, and never less than 1:

1. the processor's own: what a fixed piece of work costs here, over what it costs on a quick core.
   It is measured once a session, and shared by all of its processes;
2. how long the same work takes, the wait for a processor included. It is measured now and then,
   and more often while a test waits;
3. the processes that want a processor now, over the processors.
"""

import asyncio
import os
import time
from collections.abc import Callable

# What the work below takes on a quick core that has nothing else to do.
QUICK_SECONDS = 0.05
# A machine that is slower than that is given no more time: a test that hangs has to end.
MOST = 20.0
_ROUNDS = 1_000_000
_MEASURE_EVERY_SECONDS = 60.0
# A figure of a busy moment holds for so long: limits that belong together agree.
_HOLDS_SECONDS = 300.0
# Set by the first process of a session, inherited by the others.
_VARIABLE = "TELEALARM_LAB_SLOWNESS"

_busy: tuple[float, float] = (0.0, 1.0)  # until when it holds, and the figure
_measured_at = float("-inf")


def measure(clock: Callable[[], float] = time.perf_counter) -> float:
    """Return how many times longer than on a quick core the work takes by this clock.

    Costs 50 ms of a quick core.
    """
    started = clock()
    value = 0
    for number in range(_ROUNDS):
        value = (value * 31 + number) % 1_000_003
    return (clock() - started) / QUICK_SECONDS


def calibrate() -> None:
    """Measure the processor for this process and those that it starts, unless that was done."""
    if _VARIABLE not in os.environ:
        os.environ[_VARIABLE] = f"{min(measure(time.process_time) for _ in range(3)):.3f}"


async def measure_now() -> None:
    """Measure beside the event loop; `slowness` knows the result from now on."""
    global _measured_at
    _note(await asyncio.to_thread(measure))
    _measured_at = time.monotonic()


def slowness() -> float:
    """Return how many times slower than a quick machine at rest this one is now, or was in the
    last minutes; from 1 to MOST.
    """
    global _measured_at
    if time.monotonic() - _measured_at > _MEASURE_EVERY_SECONDS:
        _note(measure())
        _measured_at = time.monotonic()
    _note(os.getloadavg()[0] / _processors())
    return min(MOST, max(1.0, _calibrated(), _worst()))


def limit(seconds: float) -> float:
    """Return the time limit, in seconds of this machine now, for `seconds` of a quick one."""
    return seconds * slowness()


def account() -> str:
    """Return what was measured, for the message of a test that fails by a limit."""
    return (
        f"this machine is {slowness():.1f} times slower than a quick one at rest:"
        f" {_calibrated():.1f} by its processor, {_worst():.1f} by what it was busy with in the"
        f" last minutes; {os.getloadavg()[0]:.1f} processes want {_processors()} processors"
    )


def _note(found: float) -> None:
    """Keep the figure for a while, unless a worse one still holds."""
    global _busy
    if found >= _worst():
        _busy = (time.monotonic() + _HOLDS_SECONDS, found)


def _worst() -> float:
    until, found = _busy
    return found if time.monotonic() < until else 0.0


def _calibrated() -> float:
    calibrate()
    return float(os.environ[_VARIABLE])


def _processors() -> int:
    return len(os.sched_getaffinity(0))
