"""Keeps timelines within their bound. It looks at those that got entries since it looked last."""

import logging
from datetime import datetime, timedelta

from telealarm.clock import monotonic, utcnow
from telealarm.store.alarms import folding
from telealarm.store.engine.database import Database
from telealarm.store.engine.loop import run_stage

log = logging.getLogger(__name__)

# How often to look.
EACH_SECONDS = 10.0


class TimelineFolder:
    """Folds long timelines."""

    def __init__(self, db: Database) -> None:
        self._db = db
        # The newest entry that was looked at; None: nothing yet.
        self._seen: int | None = None
        self._next = 0.0

    async def run(self) -> None:
        """Fold until cancelled."""
        await run_stage(self._db, "timelines", self._look, log)

    async def _look(self) -> datetime | None:
        if monotonic() >= self._next:
            self._next = monotonic() + EACH_SECONDS
            await self.step()
        return utcnow() + timedelta(seconds=self._next - monotonic())

    async def step(self) -> None:
        """Look once, and fold what is too long."""
        newest = await self._db.read(folding.newest)
        seen, self._seen = newest if self._seen is None else self._seen, newest
        if newest <= seen:
            return
        for alarm_id in await self._db.read(folding.too_long, seen, newest):
            while await self._db.write(folding.fold, alarm_id):
                pass
            log.info("the timeline of alarm %d was folded", alarm_id)
