"""The planner: each due alarm becomes an alarm request; what was not made in time is accounted for.

1. Alarms whose due time has come, or comes in a moment, are enqueued, oldest first.
2. Waiting requests past their expiry are missed, or failed, and told.
3. Events that are over, with all their alarms settled, are completed.
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
from telealarm.store.outcome import apply
from telealarm.words import Reason

log = logging.getLogger(__name__)

CROWD = 500
# Fewer are enqueued one by one.
FEW = 10


class Planner:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def run(self) -> None:
        """Plan for ever."""
        await run_stage(self._db, "planning", self.step, log)

    async def step(self) -> datetime | None:
        """Plan what is due now; returns when the next is."""
        now = utcnow()
        alarms = await self._db.read(due.due_alarms, now + READY, CROWD)
        alone = await self._together(alarms, now)
        await self._each(alone, _enqueue, now)
        expired = await self._db.read(lambda: [r.id for r in attempts.expired(now, CROWD)])
        await self._each(expired, _expire, now)
        if await self._db.read(due.some_over, now):
            await self._db.write(due.complete_events, now)
        if len(alarms) == CROWD or len(expired) == CROWD:
            return now
        return await self._db.read(due.next_due)

    async def _together(self, alarms: list[int], now: datetime) -> list[int]:
        """Enqueue a crowd in one write; returns those that are left to be enqueued one by one."""
        if len(alarms) < FEW:
            return alarms
        try:
            done = await self._db.write(attempts.enqueue_together, alarms, now)
        except Stale as error:
            log.debug("a crowd is enqueued one by one: %s", error)
            return alarms
        except StorageError:
            raise
        except Exception:
            log.exception("a crowd is enqueued one by one")
            return alarms
        log.info("%d alarms are due", len(done))
        kept = set(done)
        return [alarm_id for alarm_id in alarms if alarm_id not in kept]

    async def _each(
        self, ids: list[int], work: Callable[[int, datetime], None], now: datetime
    ) -> None:
        """One write a row, so that a row that cannot be worked stops none of the others."""
        writes = [self._db.write(work, row_id, now) for row_id in ids]
        for row_id, result in zip(
            ids, await asyncio.gather(*writes, return_exceptions=True), strict=True
        ):
            if isinstance(result, Stale):
                log.debug("row %d was changed by another meanwhile", row_id)
            elif isinstance(result, StorageError):
                raise result
            elif isinstance(result, Exception):
                log.error("row %d cannot be planned: %s", row_id, result, exc_info=result)
            elif isinstance(result, BaseException):
                raise result


def _enqueue(alarm_id: int, now: datetime) -> None:
    alarm = due.still_due(alarm_id, now + READY)
    if alarm is not None:
        request = attempts.enqueue(alarm, max(now, alarm.due or now), now)
        by_ids(log, alarm=alarm_id, request=request.id).info("due")


def _expire(request_id: int, now: datetime) -> None:
    request = due.still_waiting(request_id)
    if request is None:
        return
    # The event may have been moved since the request was written.
    expires = attempts.expiry(request.alarm)
    if expires is not None and expires > now:
        attempts.put_off(request, expires)
    else:
        apply.miss(request, Reason.LATE, now)
        by_ids(log, alarm=request.alarm_id, request=request_id).warning("missed")
