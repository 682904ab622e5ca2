"""One poll of a feed: what the source says, and then what the source is told."""

import logging
from collections.abc import Collection
from datetime import datetime

from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.errors import Conflict
from telealarm.feeds import answers
from telealarm.feeds.caldav import CalDavSource
from telealarm.feeds.mirroring import mirror
from telealarm.feeds.source import Fetched, IcsSource
from telealarm.models import CalendarFeed
from telealarm.store.engine.database import Database
from telealarm.store.feeds import feeds, items
from telealarm.store.feeds.feeds import Ended
from telealarm.store.feeds.items import Item
from telealarm.transports.feed import FeedTransport
from telealarm.words import FeedAnswers, FeedKind

log = logging.getLogger(__name__)

# How many answers a poll tells the source.
MOST_ANSWERS = 50


async def poll(config: Config, db: Database, transport: FeedTransport, feed: CalendarFeed) -> Ended:
    """Poll a feed that was claimed. Raises TransportError, and Stale if it is not ours any more."""
    most_bytes = config.feeds.max_megabytes * 1_000_000
    began = await db.read(items.clock)
    fetched: Fetched | None
    if feed.kind == FeedKind.CALDAV:
        fetched = await CalDavSource(transport, most_bytes).fetch(feed, utcnow())
    else:
        fetched = await IcsSource(transport, most_bytes).fetch(feed)
    if fetched is None:
        end = Ended(utcnow(), unchanged=True)
    else:
        made = await mirror(
            config, db, feed, fetched.data, lambda: items.written_since(feed, began)
        )
        await db.write(_keep, feed, fetched.items, began)
        end = Ended(
            utcnow(),
            known=fetched.known,
            events=made.events,
            remarks=made.remarks,
            asked=made.asked,
        )
    if feed.kind == FeedKind.CALDAV and feed.answers != FeedAnswers.NONE:
        await tell(db, CalDavSource(transport, most_bytes), feed)
    return end


def _keep(feed: CalendarFeed, found: Collection[Item], began: datetime) -> None:
    feeds.hold(feed)
    items.keep(feed, found, began)


async def tell(db: Database, source: CalDavSource, feed: CalendarFeed) -> None:
    """Tell the source the answers that it does not know."""
    for item, alarm, answer in await db.read(items.untold, feed, utcnow(), MOST_ANSWERS):
        edit, kept = answers.edit(feed.answers, alarm, answer)
        try:
            written = await source.write(feed, item.href, edit, kept)
        except Conflict as error:
            log.info("calendar feed %d is not told an answer: %s", feed.id, error)
            await db.write(items.tried, item, answer)
        else:
            now = await db.read(items.clock)
            await db.write(items.wrote, item, written.etag, now, answer)
