"""The series planner: creates the next children of recurring events, ahead of time, in batches."""

import asyncio
import logging
from datetime import datetime

from telealarm.clock import utcnow
from telealarm.errors import Conflict, Stale, StorageError
from telealarm.store.calendars import series
from telealarm.store.engine.database import Database
from telealarm.store.engine.loop import run_stage
from telealarm.store.reminder_plans import backlog

log = logging.getLogger(__name__)

# How many series one step handles, and how many at once: other writes wait for the latter.
BATCH = 50
AT_ONCE = 5


class SeriesPlanner:
    """Creates the children of recurring events."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def run(self) -> None:
        """Create children until cancelled."""
        await run_stage(self._db, "series", self.step, log)

    async def step(self) -> datetime | None:
        """Handle the series that are due. Return when the next is due."""
        now = utcnow()
        due = await self._db.read(series.due, now, BATCH, AT_ONCE)
        for first in range(0, len(due), AT_ONCE):
            await asyncio.gather(
                *(self._plan(event_id, now) for event_id in due[first : first + AT_ONCE])
            )
        if await self._db.read(backlog.waits, now):
            await self._follow_plans(now)
            return now
        return await self._db.read(series.next_due)

    async def _follow_plans(self, now: datetime) -> None:
        """Let some events follow their reminder plan, which was edited."""
        try:
            await self._db.write(backlog.follow_some, now)
        except (Stale, Conflict):
            log.debug("events of a reminder plan were changed meanwhile")
        except StorageError:
            raise
        except Exception:
            log.exception("events cannot follow their reminder plan; they are put off")
            await self._db.write(backlog.put_off, now)

    async def _plan(self, event_id: int, now: datetime) -> None:
        """Handle one series. If it fails, the others continue."""
        try:
            plan = await self._db.read(series.plan, event_id, now)
            if plan is not None:
                new = await self._db.write(series.make, plan, now)
                if new:
                    log.info("event %d: %d occurrences are planned", event_id, new)
        except (Stale, Conflict):
            log.debug("event %d was changed meanwhile", event_id)
        except StorageError:
            raise
        except Exception:
            log.exception("event %d cannot be planned; it is put off", event_id)
            await self._db.write(series.put_off, event_id, now)
