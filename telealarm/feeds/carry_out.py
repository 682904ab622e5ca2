"""Carries out an order for a feed: a preview of its source, or the move of an event there."""

import asyncio
from datetime import datetime
from typing import Any

from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.errors import Conflict, TransportError
from telealarm.feeds import moves
from telealarm.feeds.caldav import CalDavSource
from telealarm.feeds.mirroring import write_one
from telealarm.feeds.poll import tell
from telealarm.feeds.preview import preview
from telealarm.feeds.source import IcsSource
from telealarm.models import CalendarFeed, CalendarFeedItem, CalendarFeedOrder, Event
from telealarm.store import audit
from telealarm.store.audit import Actor
from telealarm.store.engine import time_zones
from telealarm.store.engine.database import Database
from telealarm.store.feeds import items
from telealarm.transports.feed import FeedTransport
from telealarm.words import AuditRoad, FeedKind, FeedOrderKind

# How long a source may take for an order (seconds). The client of the API waits for 10. For the
# answers, of which there may be many, nobody waits.
SECONDS, TELL_SECONDS = 5.0, 60.0


async def carry_out(
    config: Config, db: Database, transport: FeedTransport, order: CalendarFeedOrder
) -> dict[str, Any] | None:
    """Return the result of an order. Raises Conflict if the source refuses, TransportError."""
    work = _WORK[FeedOrderKind(order.kind)]
    seconds = TELL_SECONDS if order.kind == FeedOrderKind.TELL else SECONDS
    feed = await db.read(CalendarFeed.get_by_id, order.feed_id)
    try:
        async with asyncio.timeout(seconds):
            return await work(config, db, transport, feed, order)
    except TimeoutError:
        raise TransportError(f"the source did not answer within {seconds:g} s") from None


async def _preview(
    config: Config,
    db: Database,
    transport: FeedTransport,
    feed: CalendarFeed,
    order: CalendarFeedOrder,
) -> dict[str, Any]:
    most_bytes = config.feeds.max_megabytes * 1_000_000
    # It is read whatever was known of it.
    feed.etag = feed.last_modified = feed.digest = ""
    if feed.kind == FeedKind.CALDAV:
        fetched = await CalDavSource(transport, most_bytes).fetch(feed, utcnow())
    else:
        fetched = await IcsSource(transport, most_bytes).fetch(feed)
    assert fetched is not None
    zone = await db.read(_zone, feed)
    return await asyncio.to_thread(preview, feed, fetched.data, zone, utcnow())


def _zone(feed: CalendarFeed) -> Any:
    return time_zones.of_calendar(feed.calendar)


async def _move(
    config: Config,
    db: Database,
    transport: FeedTransport,
    feed: CalendarFeed,
    order: CalendarFeedOrder,
) -> None:
    """Move the event at the source, then here, as its resource says there."""
    source = CalDavSource(transport, config.feeds.max_megabytes * 1_000_000)
    event, item = await db.read(_event_and_item, feed, order)
    was, start, end = (datetime.fromisoformat(order.body[name]) for name in ("was", "start", "end"))
    edit, kept = moves.edit(was, start, end, await db.read(_zone, feed))
    written = await source.write(feed, item.href, edit, kept)
    now = await db.read(items.clock)
    await db.write(items.wrote, item, written.etag, now)
    await write_one(config, db, feed, written.data)
    await db.write(_audit, order, event)


async def _tell(
    config: Config,
    db: Database,
    transport: FeedTransport,
    feed: CalendarFeed,
    order: CalendarFeedOrder,
) -> None:
    await tell(db, CalDavSource(transport, config.feeds.max_megabytes * 1_000_000), feed)


_WORK = {
    FeedOrderKind.PREVIEW: _preview,
    FeedOrderKind.MOVE: _move,
    FeedOrderKind.TELL: _tell,
}


def _event_and_item(feed: CalendarFeed, order: CalendarFeedOrder) -> tuple[Event, CalendarFeedItem]:
    event = Event.get_by_id(order.event_id)
    item = items.of_event(feed, event)
    if item is None:
        raise Conflict("The source has the event no more.")
    return event, item


def _audit(order: CalendarFeedOrder, event: Event) -> None:
    """Add the move to the audit log, by who ordered it."""
    actor = Actor(order.who, AuditRoad(order.road), order.token)
    moved = Event.get_by_id(event.id)
    changes = {
        name: (getattr(event, name).isoformat(), getattr(moved, name).isoformat())
        for name in ("start", "end")
    }
    audit.add(actor, "event", event.id, "change", changes, owner_id=event.owner_id)
