"""The loop of calendar feeds: polls each that is due.

It sleeps until the next poll is due, or until a commit wakes it; without a feed it sleeps for good.
"""

import asyncio
import logging
from datetime import datetime

from telealarm import metrics
from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.errors import Stale, StorageError, TeleAlarmError, TransportError
from telealarm.models import CalendarFeed
from telealarm.store.engine.claim import Holder
from telealarm.store.engine.database import Database
from telealarm.store.engine.loop import run_stage
from telealarm.store.feeds import feeds
from telealarm.store.feeds.feeds import Ended
from telealarm.transports.feed import FeedTransport
from telealarm.words import FeedPoll, FeedState

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

    async def run(self) -> None:
        """Poll until cancelled."""
        try:
            await run_stage(self._db, feeds.STAGE, self.step, log, poll_seconds=None)
        finally:
            for task in self._polling:
                task.cancel()
            await asyncio.gather(*self._polling, return_exceptions=True)

    async def step(self) -> datetime | None:
        """Begin the polls that are due. Return when the next one is due."""
        now, room = utcnow(), MOST - len(self._polling)
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
        """Wait until the polls that were begun have ended."""
        while self._polling:
            await asyncio.wait(self._polling)

    async def close(self) -> None:
        """Close the connections to the sources."""
        await self._transport.close()

    def _done(self, task: asyncio.Task[None]) -> None:
        """A poll has ended: wake the stage."""
        del self._polling[task]
        self._db.stage(feeds.STAGE).set()

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
        began = utcnow()
        try:
            end = await self._read(feed, began)
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

    async def _read(self, feed: CalendarFeed, began: datetime) -> Ended:
        # They load slowly, and are for those who have a feed.
        from telealarm.feeds.mirroring import mirror
        from telealarm.feeds.source import IcsSource

        most_bytes = self._config.feeds.max_megabytes * 1_000_000
        fetched = await IcsSource(self._transport, most_bytes).fetch(feed)
        if fetched is None:
            return Ended(utcnow(), unchanged=True)
        made = await mirror(self._config, self._db, feed, fetched.data)
        return Ended(
            utcnow(),
            known=fetched.known,
            events=made.events,
            remarks=made.remarks,
            asked=made.asked,
        )

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
