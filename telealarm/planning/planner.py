"""The planner: creates an alarm request for each due alarm, and ends expired requests.

1. Alarms that are due, or will be within READY, are enqueued, oldest first.
2. Waiting requests past their expiry are missed or failed, and users are notified.
3. Events that are over are completed, if all their alarms are settled.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from telealarm.clock import utcnow
from telealarm.errors import Stale, StorageError
from telealarm.log import by_ids
from telealarm.models import AlarmRequest
from telealarm.rules.rate_limit import READY
from telealarm.store.alarms import attempts, due
from telealarm.store.engine.database import Database
from telealarm.store.engine.loop import run_stage
from telealarm.store.outcome import expiry

T = TypeVar("T")

log = logging.getLogger(__name__)

BATCH = 500
# Of more alarms that are due at once, the log has the number only.
NAMED = 10


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
        agenda = await self._db.query(due.agenda, now)
        enqueued = await self._enqueue(now) if agenda.some_due else []
        if expired := agenda.expiry is not None and agenda.expiry <= now:
            await self._expire(now)
        if agenda.some_over:
            await self._db.write(due.complete_events, now)
        if expired or len(enqueued) == BATCH:
            agenda = await self._db.query(due.agenda, now)
            return now if agenda.some_due else agenda.next()
        return agenda.next(*(request.expires for request in enqueued))

    async def _enqueue(self, now: datetime) -> list[AlarmRequest]:
        """Enqueue the alarms that are due: together, or each alone if one cannot be enqueued."""
        try:
            enqueued = await self._db.write(attempts.enqueue_due, now, BATCH)
        except StorageError:
            raise
        except Exception as error:  # noqa: BLE001 - each alone gets its own
            log.debug("a batch is enqueued one by one: %s", error)
            alarms = await self._db.query(due.due_alarms, now + READY, BATCH)
            enqueued = list((await self._one_by_one(alarms, due.enqueue, now)).values())
        if len(enqueued) > NAMED:
            log.info("%d alarms are due", len(enqueued))
            return enqueued
        for request in enqueued:
            by_ids(log, alarm=request.alarm_id, request=request.id).info("due")
        return enqueued

    async def _expire(self, now: datetime) -> None:
        """End the requests that have expired, each in a write of its own."""
        expired = await self._db.query(lambda: [row.id for row in attempts.expired(now, BATCH)])
        missed = await self._one_by_one(expired, expiry.expire, now)
        for request_id, alarm_id in missed.items():
            by_ids(log, alarm=alarm_id, request=request_id).warning("missed")

    async def _one_by_one(
        self, ids: list[int], work: Callable[[int, datetime], T | None], now: datetime
    ) -> dict[int, T]:
        """Run one write for each row, so that a failing row does not stop the others.

        Return the ids of the rows, each with what its write returned, if that is not None.
        """
        results: dict[int, T] = {}
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
                results[row_id] = result
        return results
