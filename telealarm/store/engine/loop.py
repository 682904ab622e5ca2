"""The loop of a stage: work, then sleep until a commit or the next due row."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime

from telealarm.clock import utcnow
from telealarm.errors import Fenced, Stale, StorageError
from telealarm.log import Trouble
from telealarm.store.engine.database import Database

# The slow safety poll: another process's commit to an SQLite file wakes nobody here.
POLL_SECONDS = 2.0
# If nobody has committed anything, only one in so many polls does the step. It finds what lapses
# without a commit.
QUIET_POLLS = 4
# The wall clock may jump while a stage sleeps until its next work is due.
CLOCK_SECONDS = 300.0
# The pause after a failure, so that a broken database is not flooded.
PAUSE_SECONDS = 1.0


async def run_stage(
    db: Database,
    name: str,
    step: Callable[[], Awaitable[datetime | None]],
    log: logging.Logger,
    *,
    poll_seconds: float | None = POLL_SECONDS,
) -> None:
    """Await `step` until cancelled. It returns when its next work is due, or None.

    A commit that calls `wake(name)` wakes the stage earlier. `poll_seconds`: the safety poll; None:
    without one, for a stage that only the commits of API and service concern, and that checks the
    clock every CLOCK_SECONDS while something is due later. A failed step is logged and tried
    again after a pause; it never ends the stage. Fenced ends it: another run has this worker's
    work.
    """
    woken = db.stage(name)
    trouble = Trouble(log, name)
    while True:
        woken.clear()
        pause: float | None = POLL_SECONDS if poll_seconds is None else poll_seconds
        stamps, due = db.stamps(), None
        try:
            due = await step()
            trouble.note(None)
            pause = _pause(due, poll_seconds)
        except Fenced:
            raise
        except Stale as error:
            log.debug("%s: %s", name, error)
            stamps = None
        except StorageError as error:
            trouble.note(f"{error}; trying again")
            stamps = None
            await asyncio.sleep(PAUSE_SECONDS)
        except Exception:
            log.exception("%s: a step failed; trying again", name)
            stamps = None
            await asyncio.sleep(PAUSE_SECONDS)
        for _ in range(QUIET_POLLS):
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await woken.wait()
            is_due = due is not None and due <= utcnow()
            if woken.is_set() or is_due or stamps is None or stamps != db.stamps():
                break
            pause = _pause(due, poll_seconds)


def _pause(due: datetime | None, poll_seconds: float | None) -> float | None:
    """Return how long to sleep (seconds) unless a commit wakes the stage; None: until it does."""
    if due is None:
        return poll_seconds
    longest = CLOCK_SECONDS if poll_seconds is None else poll_seconds
    return min(longest, max(0.0, (due - utcnow()).total_seconds()))
