"""The loop that carries out erasures, and erases again whom a restored database has back."""

import asyncio
import logging
from datetime import datetime, timedelta

from telealarm.clock import utcnow
from telealarm.errors import TeleAlarmError
from telealarm.store.engine.database import Database
from telealarm.store.engine.loop import run_stage
from telealarm.store.person import erasures
from telealarm.store.person.erasures import PersonFiles

log = logging.getLogger(__name__)

# How often the end of a call is looked for, and other workers' erasures.
AGAIN = timedelta(seconds=5)
RECORDED = timedelta(minutes=1)
# What an erasure may have called off.
_STAGES = ("dialing", "messages", "webhooks")


class Eraser:
    """Carries out erasures, one after the other, in a thread of its own."""

    def __init__(self, db: Database, files: PersonFiles) -> None:
        self._db = db
        self._files = files
        self._begun: set[int] = set()

    async def restore(self) -> None:
        """Erase again whom a restored database has back. Call it before any call goes out."""
        try:
            count = await asyncio.to_thread(erasures.reapply, self._db, self._files)
        except (TeleAlarmError, OSError) as error:
            log.error("erasures cannot be applied again: %s", error)
            return
        if count:
            log.warning("the database was restored: %d erasures were applied again", count)

    async def run(self) -> None:
        """Erase until cancelled."""
        await run_stage(self._db, "erasures", self.step, log)

    async def step(self) -> datetime:
        """Carry out what is ordered. Return when to look again."""
        orders = await self._db.read(erasures.open_orders)
        for order_id in orders:
            await asyncio.to_thread(self._carry_out, order_id)
            for stage in _STAGES:
                self._db.stage(stage).set()
        await asyncio.to_thread(self._record)
        return utcnow() + (AGAIN if orders else RECORDED)

    def _carry_out(self, order_id: int) -> None:
        try:
            if order_id in self._begun and not erasures.is_ready(self._db, order_id):
                return
            finished = erasures.carry_out(self._db, order_id, self._files)
        except (TeleAlarmError, OSError) as error:
            log.error("erasure %d is carried out later: %s", order_id, error)
            return
        if finished:
            log.info("erasure %d is finished", order_id)
            self._begun.discard(order_id)
        else:
            self._begun.add(order_id)
            log.info("erasure %d goes on when the person's call or message has ended", order_id)

    def _record(self) -> None:
        """Write what other workers erased into this worker's file."""
        try:
            erasures.record_all(self._db, self._files.ledger)
        except OSError as error:
            log.error("the file of the erasures cannot be written: %s", error)
