"""The planner: creates an alarm request for each due alarm, and ends expired requests.

1. Alarms that are due, or will be within READY, are enqueued, oldest first.
2. Waiting requests past their expiry are missed or failed, and users are notified.
3. Events that are over are completed, if all their alarms are settled.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from telealarm.clock import utcnow
from telealarm.errors import Stale, StorageError
from telealarm.log import by_ids
from telealarm.rules.rate_limit import READY
from telealarm.store.alarms import attempts, due
from telealarm.store.engine.database import Database
from telealarm.store.engine.loop import run_stage
from telealarm.store.outcome import expiry

log = logging.getLogger(__name__)

BATCH = 500
# With fewer alarms, each is enqueued in a write of its own.
FEW = 10


class Planner:
    """Enqueues due alarms, expires requests, and completes events."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def run(self) -> None:
        """Plan until cancelled."""
        await run_stage(self._db, "planning", self.step, log)

    async def step(self) -> datetime | None:
        """Plan what is due now. Return when the next alarm is due."""
        now = utcnow()
        alarms = await self._db.read(due.due_alarms, now + READY, BATCH)
        left = await self._enqueue_batch(alarms, now)
        for alarm_id, request_id in await self._one_by_one(left, due.enqueue, now):
            by_ids(log, alarm=alarm_id, request=request_id).info("due")
        expired = await self._db.read(lambda: [r.id for r in attempts.expired(now, BATCH)])
        for request_id, alarm_id in await self._one_by_one(expired, expiry.expire, now):
            by_ids(log, alarm=alarm_id, request=request_id).warning("missed")
        if await self._db.read(due.some_over, now):
            await self._db.write(due.complete_events, now)
        if len(alarms) == BATCH or len(expired) == BATCH:
            return now
        return await self._db.read(due.next_due)

    async def _enqueue_batch(self, alarms: list[int], now: datetime) -> list[int]:
        """Enqueue a batch in one write. Return the alarms that must be enqueued one by one."""
        if len(alarms) < FEW:
            return alarms
        try:
            enqueued = await self._db.write(attempts.enqueue_together, alarms, now)
        except Stale as error:
            log.debug("a batch is enqueued one by one: %s", error)
            return alarms
        except StorageError:
            raise
        except Exception:
            log.exception("a batch is enqueued one by one")
            return alarms
        log.info("%d alarms are due", len(enqueued))
        enqueued_ids = set(enqueued)
        return [alarm_id for alarm_id in alarms if alarm_id not in enqueued_ids]

    async def _one_by_one(
        self, ids: list[int], work: Callable[[int, datetime], int | None], now: datetime
    ) -> list[tuple[int, int]]:
        """Run one write for each row, so that a failing row does not stop the others.

        Return the ids of the rows, each with what its write returned, if that is not None.
        """
        results: list[tuple[int, int]] = []
        writes = [self._db.write(work, row_id, now) for row_id in ids]
        for row_id, result in zip(
            ids, await asyncio.gather(*writes, return_exceptions=True), strict=True
        ):
            if isinstance(result, Stale):
                log.debug("row %d was changed meanwhile", row_id)
            elif isinstance(result, StorageError):
                raise result
            elif isinstance(result, Exception):
                log.error("row %d cannot be planned: %s", row_id, result, exc_info=result)
            elif isinstance(result, BaseException):
                raise result
            elif result is not None:
                results.append((row_id, result))
        return results
