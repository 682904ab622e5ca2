"""The dispatcher: sends each message of the outbox once, and saves the gateway's response.

Each SMS gateway is a lane. Each method without a gateway, like mail, is a lane too. A slow lane
does not delay the others. SENDING is committed before anything is sent. So a message that a crash
leaves in SENDING has an unknown outcome (store.messaging.result.unknown).
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from telealarm import metrics
from telealarm.clock import utcnow
from telealarm.errors import Stale, StorageError, TransportError
from telealarm.log import by_ids
from telealarm.models import Message
from telealarm.rules.delivery import Receipt
from telealarm.store.engine.claim import Holder
from telealarm.store.engine.database import Database
from telealarm.store.engine.loop import run_stage
from telealarm.store.messaging import claim, result

log = logging.getLogger(__name__)

BATCH = 50
# 10 s, 20 s, 40 s, ... up to five minutes.
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(minutes=5)
# A message without an expiry is given up after a day.
LONGEST_WAIT = timedelta(days=1)
# Each gateway has its time limit. This limit is for a gateway that does not keep it.
LONGEST_SENDING_SECONDS = 180.0
# The pauses before the outcome is saved again. If it is lost, the message may be sent twice.
KEEP_AGAIN_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)


# Sends one message. Raises TransportError.
Send = Callable[[Message], Awaitable[Receipt]]
# Saves how the sending of a message ended, if this worker still holds the message.
End = Callable[[Message], None]


class MessageDispatcher:
    """Sends the messages that are due, several at once."""

    def __init__(self, db: Database, holder: Holder, send: Send) -> None:
        self._db = db
        self._holder = holder
        self._send = send
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._sending: Counter[int] = Counter()
        self._taking = asyncio.Lock()
        self._draining = False

    async def run(self) -> None:
        """Send messages until cancelled."""
        await run_stage(self._db, "messages", self.step, log)

    async def drain(self) -> None:
        """Send the messages that are due now and wait for their end. Then send no more."""
        await self.step()
        self._draining = True
        await self.settled()

    async def settled(self) -> None:
        """Wait until no message is being sent."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    async def step(self) -> datetime | None:
        """Begin to send the messages that are due and have room. Return when the next is due."""
        if self._draining:
            return None
        async with self._taking:
            now = utcnow()
            await self._db.write(claim.forgotten, self._holder, set(self._tasks), now)
            while True:
                sending = Counter(self._sending)
                taken = await self._db.write(claim.take, self._holder, now, BATCH, sending)
                for message in taken.messages:
                    self._begin(message)
                if taken.looked_at < BATCH:
                    break
        return await self._db.read(claim.next_due, now)

    def _begin(self, message: Message) -> None:
        lane = claim.lane(message)
        self._sending[lane] += 1
        task = asyncio.create_task(self._deliver(message), name=f"message-{message.id}")
        self._tasks[message.id] = task

        def ended(_: asyncio.Task[None]) -> None:
            del self._tasks[message.id]
            self._sending[lane] -= 1
            self._db.stage("messages").set()

        task.add_done_callback(ended)

    async def _deliver(self, message: Message) -> None:
        ids = by_ids(log, alarm=message.alarm_id, request=message.request_id)
        try:
            async with asyncio.timeout(LONGEST_SENDING_SECONDS):
                receipt = await self._send(message)
        except Exception as error:  # noqa: BLE001 - logged, and kept in the timeline
            end = self._not_taken(message, error)
        else:
            ids.info("message sent")
            metrics.MESSAGES.labels("sent").inc()
            end = _taken(receipt, utcnow())
        try:
            await self._keep(message, end)
        except Stale as error:
            ids.warning("%s", error)
        except StorageError as error:
            ids.error("what became of a message cannot be kept: %s", error)
        except Exception:  # noqa: BLE001 - logged; the next step ends it as unknown
            ids.exception("what became of a message cannot be kept")

    async def _keep(self, message: Message, end: End) -> None:
        """Save the end. Raises Stale if it is not held, StorageError if the database is down."""

        def write() -> None:
            end(result.held(message.id, message.fence))

        for pause in KEEP_AGAIN_SECONDS:
            try:
                return await self._db.write(write)
            except Stale:
                raise
            except StorageError as error:
                log.warning("message %d: %s; trying again", message.id, error)
                await asyncio.sleep(pause)
        await self._db.write(write)

    def _not_taken(self, message: Message, error: Exception) -> End:
        ids = by_ids(log, alarm=message.alarm_id, request=message.request_id)
        now = utcnow()
        if isinstance(error, TimeoutError):
            error = TransportError(f"no answer within {LONGEST_SENDING_SECONDS:g} s", unknown=True)
        elif not isinstance(error, TransportError):
            ids.error("the sender failed", exc_info=error)
            error = TransportError(f"the sender failed: {type(error).__name__}", unknown=True)
        why = str(error)
        ids.warning("message not sent: %s", error)
        if error.unknown:
            return lambda row: result.unknown(row, why, now)
        if error.permanent:
            metrics.MESSAGES.labels("given_up").inc()
            return lambda row: result.refused(row, why, now)
        asked = timedelta(seconds=error.wait_seconds)
        again = _again(message, asked, now)
        metrics.MESSAGES.labels("given_up" if again is None else "failed").inc()
        # The gateway may ask for a day for one message. Its other messages wait for less.
        alone = now + min(LONGEST_PAUSE, asked) if asked else None
        return lambda row: result.away(row, why, again, now, alone)


def _taken(receipt: Receipt, now: datetime) -> End:
    return lambda row: result.taken(row, receipt.reference, receipt.said, now)


def _again(message: Message, asked: timedelta, now: datetime) -> datetime | None:
    """Return when to try again; None to give up. `asked`: the pause that the gateway asked for."""
    pause = FIRST_PAUSE * (1 << min(message.tries, 10))
    expires = message.request.expires if message.request is not None else None
    if expires is None and now - message.created_date > LONGEST_WAIT:
        return None
    return now + max(asked, min(LONGEST_PAUSE, pause))
