"""Settles ended calls: each gives its alarm request and its alarm an end or another attempt."""

import asyncio
import logging
from datetime import datetime, timedelta

from telealarm import metrics
from telealarm.clock import monotonic, utcnow
from telealarm.errors import Stale, StorageError
from telealarm.log import by_ids
from telealarm.store.engine.database import Database
from telealarm.store.engine.loop import run_stage
from telealarm.store.outcome import ended_calls

log = logging.getLogger(__name__)

BATCH = 200
# A call that cannot be settled waits this long, so that it does not block other calls.
ASIDE_SECONDS = 60.0
# When calls are tried again that the database did not take.
LATER = timedelta(seconds=2)


class Settler:
    """Settles calls that have ended."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._aside: dict[int, float] = {}

    async def run(self) -> None:
        """Settle calls until cancelled."""
        await run_stage(self._db, "outcome", self.step, log)

    async def step(self) -> datetime | None:
        """Settle the calls that have ended. Return when to look again, if that is soon."""
        now = utcnow()
        self._aside = {row: until for row, until in self._aside.items() if until > monotonic()}
        ended = await self._db.query(ended_calls.unsettled, BATCH, list(self._aside))
        done = await asyncio.gather(*(self._settle(call_id, now) for call_id in ended))
        if len(ended) == BATCH:
            return now
        return None if all(done) else now + LATER

    async def _settle(self, call_id: int, now: datetime) -> bool:
        """Return whether it need not be tried again soon."""
        try:
            settled = await self._db.write(ended_calls.settle, call_id, now)
        except Stale:
            log.debug("call %d was settled by another meanwhile", call_id)
        except StorageError as error:
            log.error("call %d is settled later: %s", call_id, error)
            return False
        except Exception:
            log.exception("call %d cannot be settled; it is tried again later", call_id)
            self._aside[call_id] = monotonic() + ASIDE_SECONDS
        else:
            if settled is not None:
                metrics.ATTEMPTS_SETTLED.labels(settled.label).inc()
                ids = by_ids(log, alarm=settled.alarm_id, request=settled.request_id)
                ids.info("%s", settled.text)
        return True
