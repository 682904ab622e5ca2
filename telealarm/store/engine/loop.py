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
# The pause after a failure, so that a broken database is not flooded.
PAUSE_SECONDS = 1.0


async def run_stage(
    db: Database,
    name: str,
    step: Callable[[], Awaitable[datetime | None]],
    log: logging.Logger,
) -> None:
    """Await `step` until cancelled. It returns when its next work is due, or None.

    A commit that calls `wake(name)` wakes the stage earlier. A failed step is logged and tried
    again after a pause; it never ends the stage. Fenced ends it: another run has this worker's
    work.
    """
    woken = db.stage(name)
    trouble = Trouble(log, name)
    while True:
        woken.clear()
        pause: float = POLL_SECONDS
        try:
            due = await step()
            trouble.note(None)
            if due is not None:
                pause = min(pause, max(0.0, (due - utcnow()).total_seconds()))
        except Fenced:
            raise
        except Stale as error:
            log.debug("%s: %s", name, error)
        except StorageError as error:
            trouble.note(f"{error}; trying again")
            await asyncio.sleep(PAUSE_SECONDS)
        except Exception:
            log.exception("%s: a step failed; trying again", name)
            await asyncio.sleep(PAUSE_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await woken.wait()
