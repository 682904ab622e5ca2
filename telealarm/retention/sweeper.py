"""The loop that deletes what has reached its age, in small batches beside the calls."""

import asyncio
import logging
from datetime import timedelta

from telealarm import metrics
from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.errors import TeleAlarmError
from telealarm.store.engine.database import Database
from telealarm.store.retention import kinds, sweep
from telealarm.store.retention.kinds import AgedRows
from telealarm.store.survey.voice_messages import VoiceMessages

log = logging.getLogger(__name__)

SWEEP_SECONDS = 3600.0
# After each batch other writes have their turn for so long.
PAUSE_SECONDS = 0.05


class RetentionSweeper:
    """Sweeps at the start, and every hour."""

    def __init__(self, db: Database, config: Config, recordings: VoiceMessages) -> None:
        self._db = db
        self._kinds = kinds.of(config)
        self._recordings = recordings

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            try:
                await self.step()
            except (TeleAlarmError, OSError) as error:
                log.error("%s; old rows are deleted later", error)
            except Exception:
                log.exception("old rows could not be deleted; trying again")
            await asyncio.sleep(SWEEP_SECONDS)

    async def step(self) -> None:
        """Delete all rows that have reached their age, kind by kind."""
        for rows in self._kinds:
            if rows.age is not None:
                await self._sweep(rows, rows.age)

    async def _sweep(self, rows: AgedRows, age: timedelta) -> None:
        before = utcnow() - age
        while ids := await self._db.read(rows.find, before):
            files = await self._db.write(sweep.delete, rows, ids)
            if files is None:
                return  # another worker does it
            await asyncio.to_thread(self._recordings.discard, files)
            metrics.RETENTION.labels(rows.kind.value).inc(len(ids))
            await asyncio.sleep(PAUSE_SECONDS)
