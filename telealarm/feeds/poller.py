"""The loop of calendar feeds: polls each that is due, and carries out what clients order.

It sleeps until the next poll is due, or until a commit wakes it; without a feed it sleeps for good.
"""

import asyncio
import logging
from datetime import datetime
from typing import Any

from telealarm import metrics
from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.errors import Conflict, Stale, StorageError, TeleAlarmError, TransportError
from telealarm.models import CalendarFeed, CalendarFeedOrder
from telealarm.store.engine.claim import Holder
from telealarm.store.engine.database import Database
from telealarm.store.engine.loop import run_stage
from telealarm.store.feeds import feeds, orders
from telealarm.store.feeds.feeds import Ended
from telealarm.transports.feed import FeedTransport
from telealarm.words import FeedOrderStatus, FeedPoll, FeedState

log = logging.getLogger(__name__)

# How many feeds one worker polls at once.
MOST = 4


class FeedPoller:
    """Polls the feeds that are due, and stores how each poll ended."""

    def __init__(
        self, config: Config, db: Database, holder: Holder, transport: FeedTransport
    ) -> None:
        self._config = config
        self._db = db
        self._holder = holder
        self._transport = transport
        self._polling: dict[asyncio.Task[None], CalendarFeed] = {}
        self._ordered: dict[asyncio.Task[None], CalendarFeedOrder] = {}

    async def run(self) -> None:
        """Poll until cancelled."""
        try:
            await run_stage(self._db, feeds.STAGE, self.step, log, poll_seconds=None)
        finally:
            tasks = [*self._polling, *self._ordered]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def step(self) -> datetime | None:
        """Begin the polls that are due. Return when the next one is due."""
        now, room = utcnow(), MOST - len(self._polling)
        if await self._db.read(orders.wait, now):
            await self._take_orders(now)
        due = await self._db.read(feeds.next_due)
        if due is not None and due <= now and room:
            running = [feed.id for feed in self._polling.values()]
            for feed in await self._db.write(feeds.take, self._holder, now, running, room):
                task = asyncio.create_task(self._poll(feed))
                self._polling[task] = feed
                task.add_done_callback(self._done)
            due = await self._db.read(feeds.next_due)
        return None if len(self._polling) >= MOST else due

    async def settled(self) -> None:
        """Wait until the polls and orders that were begun have ended."""
        while tasks := [*self._polling, *self._ordered]:
            await asyncio.wait(tasks)

    async def close(self) -> None:
        """Close the connections to the sources."""
        await self._transport.close()

    def _done(self, task: asyncio.Task[None]) -> None:
        """A poll or an order has ended: wake the stage."""
        self._polling.pop(task, None)
        self._ordered.pop(task, None)
        self._db.stage(feeds.STAGE).set()

    async def _take_orders(self, now: datetime) -> None:
        busy = [order.feed_id for order in self._ordered.values()]
        room = MOST - len(self._ordered)
        for order in await self._db.write(orders.take, self._holder, now, busy, room):
            task = asyncio.create_task(self._carry_out(order))
            self._ordered[task] = order
            task.add_done_callback(self._done)

    async def _carry_out(self, order: CalendarFeedOrder) -> None:
        from telealarm.feeds.carry_out import carry_out

        result: dict[str, Any] | None = None
        try:
            result = await carry_out(self._config, self._db, self._transport, order)
            status, said = FeedOrderStatus.DONE, ""
        except Conflict as error:
            status, said = FeedOrderStatus.REFUSED, str(error)
        except TeleAlarmError as error:
            status, said = FeedOrderStatus.FAILED, str(error)
        except Exception as error:
            log.exception("the order %d for calendar feed %d failed", order.id, order.feed_id)
            status, said = FeedOrderStatus.FAILED, f"{type(error).__name__}; see the log"
        try:
            await self._db.write(orders.ended, order, status, said, result)
        except StorageError as error:
            log.error("the end of the order %d was not stored: %s", order.id, error)

    async def _poll(self, feed: CalendarFeed) -> None:
        outcome = FeedPoll.FAILED
        try:
            end = await self._ended(feed)
            outcome = _outcome(end)
            await self._db.write(feeds.ended, feed, end)
            await self._count()
        except Stale as error:
            log.info("calendar feed %d: %s", feed.id, error)
            await self._put_back(feed)
        except StorageError as error:
            log.error("calendar feed %d is polled again: %s", feed.id, error)
        metrics.FEED_POLLS.labels(outcome).inc()

    async def _ended(self, feed: CalendarFeed) -> Ended:
        """Poll the feed. Return how it ended. Raises Stale and StorageError."""
        # It loads slowly, and is for those who have a feed.
        from telealarm.feeds.poll import poll

        try:
            end = await poll(self._config, self._db, self._transport, feed)
        except StorageError:
            raise
        except TransportError as error:
            end = Ended(utcnow(), str(error), error.wait_seconds)
        except TeleAlarmError as error:
            end = Ended(utcnow(), str(error))
        except Exception as error:
            log.exception("calendar feed %d: its poll failed", feed.id)
            end = Ended(utcnow(), f"the poll failed: {type(error).__name__}; see the log")
        if end.error:
            log.warning("calendar feed %d: %s", feed.id, end.error)
        return end

    async def _put_back(self, feed: CalendarFeed) -> None:
        try:
            await self._db.write(feeds.put_back, feed)
        except StorageError as error:
            log.error("calendar feed %d is put back later: %s", feed.id, error)

    async def _count(self) -> None:
        found = await self._db.read(feeds.states)
        for state in FeedState:
            metrics.FEEDS.labels(state).set(found.get(state, 0))


def _outcome(end: Ended) -> FeedPoll:
    if end.error:
        return FeedPoll.FAILED
    return FeedPoll.UNCHANGED if end.unchanged else FeedPoll.CHANGED
