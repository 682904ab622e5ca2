"""The messenger: sends what is in the outbox, once, and keeps what the gateway said."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from telealarm import metrics
from telealarm.clock import utcnow
from telealarm.errors import TransportError
from telealarm.log import by_ids
from telealarm.models import Message
from telealarm.notify.sms_http import Receipt, Sms
from telealarm.store import messages
from telealarm.store.claim import Holder
from telealarm.store.database import Database
from telealarm.store.stage import run_stage

log = logging.getLogger(__name__)

CROWD = 20
# 10 s, 20 s, 40 s, ... up to an hour; given up after about a day.
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=1)
MAX_TRIES = 32

Send = Callable[[Sms, Mapping[str, Any]], Awaitable[Receipt]]


class Messenger:
    def __init__(self, db: Database, holder: Holder, installation: str, send: Send) -> None:
        self._db = db
        self._holder = holder
        self._installation = installation
        self._send = send
        self._sending = asyncio.Lock()
        self._draining = False

    async def run(self) -> None:
        """Send for ever."""
        await run_stage(self._db, "messages", self.step, log)

    async def drain(self) -> None:
        """Send what is due now, and let what is being sent come to its end; then send no more."""
        async with self._sending:
            await self._send_due()
            self._draining = True

    async def step(self) -> datetime | None:
        """Send what is due; returns when the next is."""
        if self._draining:
            return None
        async with self._sending:
            return await self._send_due()

    async def _send_due(self) -> datetime | None:
        now = utcnow()
        # Of an earlier step, if its end could not be kept: every delivery of a step has ended.
        await self._db.write(partial(messages.put_back, self._holder))
        taken = await self._db.write(partial(messages.take, self._holder, now, CROWD))
        await asyncio.gather(*(self._deliver(message) for message in taken))
        if len(taken) == CROWD:
            return now
        return await self._db.read(partial(messages.next_due, now))

    async def _deliver(self, message: Message) -> None:
        ids = by_ids(log, alarm=message.alarm_id)
        sms = Sms(
            id=f"{self._installation}-{message.id}",
            recipient=message.recipient,
            sender=str(message.gateway.settings.get("sender", "")),
            text=message.text,
        )
        try:
            receipt = await self._send(sms, message.gateway.settings)
        except Exception as error:  # noqa: BLE001 - logged, and kept in the timeline
            if not isinstance(error, TransportError):
                ids.exception("the sender failed")
                error = TransportError(f"the sender failed: {type(error).__name__}")
            again = None if error.permanent else _again(message.tries)
            ids.warning("SMS not sent: %s", error)
            metrics.MESSAGES.labels("given_up" if again is None else "failed").inc()
            await self._db.write(partial(messages.failed, message, str(error), again))
        else:
            ids.info("SMS sent")
            metrics.MESSAGES.labels("sent").inc()
            await self._db.write(partial(messages.sent, message, receipt.reference))


def _again(tries: int) -> datetime | None:
    if tries + 1 >= MAX_TRIES:
        return None
    pause: timedelta = FIRST_PAUSE * 2 ** min(tries, 10)
    return utcnow() + min(LONGEST_PAUSE, pause)
