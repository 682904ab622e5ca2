"""The dispatcher of webhooks: sends deliveries, and stores how each try ended.

Many are sent at a time, but only some for each manager and each host. So a slow or silent endpoint
delays its own deliveries only.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

from telealarm import metrics
from telealarm.clock import monotonic, utcnow
from telealarm.errors import Stale, StorageError, TransportError
from telealarm.log import by_ids
from telealarm.store.engine.claim import Holder
from telealarm.store.engine.database import Database
from telealarm.store.engine.loop import run_stage
from telealarm.store.webhooks import deliveries
from telealarm.store.webhooks.deliveries import Delivery, Try
from telealarm.transports.http import SignedNotice

log = logging.getLogger(__name__)

GONE = 410

# Returns the HTTP status of the answer, or raises TransportError.
Send = Callable[[SignedNotice, datetime], Awaitable[int]]


class WebhookDispatcher:
    """Sends due deliveries, and stores each try."""

    def __init__(self, db: Database, holder: Holder, send: Send) -> None:
        self._db = db
        self._holder = holder
        self._send = send
        self._sending: dict[asyncio.Task[None], Delivery] = {}
        self._draining = False

    async def run(self) -> None:
        """Send until cancelled."""
        try:
            await run_stage(self._db, "webhooks", self.step, log)
        finally:
            for task in self._sending:
                task.cancel()
            await asyncio.gather(*self._sending, return_exceptions=True)

    async def drain(self, seconds: float) -> None:
        """Start nothing new, and give running deliveries some `seconds` to end."""
        self._draining = True
        if self._sending:
            await asyncio.wait(self._sending, timeout=seconds)

    async def step(self) -> datetime | None:
        """Start to send what is due. Return when the next delivery is due."""
        if self._draining:
            return None
        now = utcnow()
        sending = list(self._sending.values())
        for delivery in await self._db.write(deliveries.take, self._holder, now, sending):
            task = asyncio.create_task(self._deliver(delivery))
            self._sending[task] = delivery
            task.add_done_callback(self._done)
        return await self._db.read(deliveries.next_due, now)

    def _done(self, task: asyncio.Task[None]) -> None:
        """A slot is free: wake the stage."""
        del self._sending[task]
        self._db.stage("webhooks").set()

    async def _deliver(self, delivery: Delivery) -> None:
        row = delivery.row
        ids = by_ids(log, alarm=row.alarm_id)
        began = monotonic()
        answer = partial(Try, utcnow())
        try:
            notice = SignedNotice(row.message_id, row.target_url, row.payload, delivery.secrets)
            status = await self._send(notice, utcnow())
        except TransportError as error:
            ended = answer(monotonic() - began, None, str(error), permanent=error.permanent)
        except Exception as error:  # noqa: BLE001 - logged, and stored with the try
            ids.exception("the sender of webhooks failed")
            why = f"the sender failed: {type(error).__name__}"
            ended = answer(monotonic() - began, why=why)
        else:
            why = "" if 200 <= status < 300 else f"HTTP {status}"
            ended = answer(monotonic() - began, status, why, gone=status == GONE)
        metrics.WEBHOOKS.labels("failed" if ended.why else "delivered").inc()
        if ended.why:
            ids.warning("webhook delivery %d: %s", row.id, ended.why)
        try:
            await self._db.write(deliveries.ended, delivery, ended)
        except Stale as error:
            log.debug("%s", error)  # its webhook was deleted meanwhile
        except StorageError as error:
            log.error(
                "webhook delivery %d is sent again: its end was not stored: %s", row.id, error
            )
