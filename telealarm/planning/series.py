"""The series planner: recurring events get their next children, ahead of time and in crowds."""

import asyncio
import logging
from datetime import datetime

from telealarm.clock import utcnow
from telealarm.errors import Conflict, Stale, StorageError
from telealarm.store.calendars import series
from telealarm.store.engine.database import Database
from telealarm.store.engine.loop import run_stage

log = logging.getLogger(__name__)

# How many series are looked at in one step, and at once: others who write wait for the latter.
CROWD = 50
AT_ONCE = 5


class SeriesPlanner:
    """Makes children."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def run(self) -> None:
        """Make children for ever."""
        await run_stage(self._db, "series", self.step, log)

    async def step(self) -> datetime | None:
        """Look at the series that are due; returns when the next is."""
        now = utcnow()
        due = await self._db.read(series.due, now, CROWD, AT_ONCE)
        for first in range(0, len(due), AT_ONCE):
            await asyncio.gather(*(self._look(one, now) for one in due[first : first + AT_ONCE]))
        return await self._db.read(series.next_due)

    async def _look(self, event_id: int, now: datetime) -> None:
        """One series; one that cannot be worked stops none of the others."""
        try:
            look = await self._db.read(series.look, event_id, now)
            if look is not None:
                new = await self._db.write(series.make, look, now)
                if new:
                    log.info("event %d: %d occurrences are planned", event_id, new)
        except (Stale, Conflict):
            log.debug("event %d was changed by another meanwhile", event_id)
        except StorageError:
            raise
        except Exception:
            log.exception("event %d cannot be planned; it is put off", event_id)
            await self._db.write(series.put_off, event_id, now)
