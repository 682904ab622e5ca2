"""Makes the events of a calendar what its source says: the import with --mirror.

It runs in a thread of its own. Its transactions are queued as all others are, so calls never wait
for a large source.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import peewee

from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.feeds import selection
from telealarm.importing import ics
from telealarm.importing.mirror import Gone
from telealarm.importing.writer import Writer
from telealarm.models import CalendarFeed
from telealarm.store.audit import Actor
from telealarm.store.engine import time_zones
from telealarm.store.engine.database import Database
from telealarm.store.feeds import feeds
from telealarm.words import AuditRoad

P = ParamSpec("P")
T = TypeVar("T")

# So few events are written in one transaction: other writes wait for it.
BATCH = 20


@dataclass(frozen=True)
class Mirrored:
    """What a poll made of the source. `asked`: see CalendarFeed."""

    remarks: list[str]
    events: int
    asked: Mapping[str, Any] | None


class QueuedTransactions:
    """Runs transactions in the writer's queue, for a thread that waits for each."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._loop = asyncio.get_running_loop()

    @property
    def peewee(self) -> peewee.Database:
        return self._db.peewee

    def run(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        writing = self._db.write(fn, *args, **kwargs)
        return asyncio.run_coroutine_threadsafe(writing, self._loop).result()


def actor(feed: CalendarFeed) -> Actor:
    """Return who writes, for the audit log."""
    return Actor(f"calendar-feed {feed.id}", AuditRoad.FEED)


async def mirror(
    config: Config,
    db: Database,
    feed: CalendarFeed,
    data: bytes,
    left: Callable[[], Collection[str]] = lambda: (),
) -> Mirrored:
    """Write what the source says, and call off what it has no more.

    `left`: the UIDs that are left as they are, asked within each transaction. Raises
    TeleAlarmError, and Stale if the feed is not ours any more.
    """

    def guard() -> Collection[str]:
        feeds.hold(feed)
        return left()

    writer = Writer(
        config,
        QueuedTransactions(db),
        calendar=str(feed.calendar_id),
        user=None,
        source=feeds.SOURCE,
        file=f"calendar-feed {feed.id}",
        actor=actor(feed),
        batch=BATCH,
        guard=guard,
    )
    return await asyncio.to_thread(_mirror, writer, feed, data)


def _mirror(writer: Writer, feed: CalendarFeed, data: bytes) -> Mirrored:
    calendar = writer.calendar()
    zone = writer.look(time_zones.of_calendar, calendar)
    wish = selection.wish(feed, zone, utcnow())
    drafts = list(ics.read_bytes(data, "the source", wish))
    report = writer.write(drafts, dry_run=False, progress=lambda done: None)
    gone = writer.find_gone()
    doubt = _doubt(writer, gone)
    ids = [event.id for event in gone.events]
    asked = None
    if gone.events and doubt and not set(ids) <= set(feed.confirmed):
        asked = {"doubt": doubt, "ids": ids}
    elif gone.events:
        writer.call_off(gone, dry_run=False)
    refused = [f"line {one.line}: {one.message}" for one in report.refused]
    return Mirrored(refused, writer.look(feeds.count, calendar), asked)


def _doubt(writer: Writer, gone: Gone) -> str:
    """Return why somebody must look before the events are called off."""
    if gone.events and writer.is_doubtful:
        return (
            f"{len(gone.events)} events are gone from the source, and something of the source"
            " could not be read that may be one of them"
        )
    return f"{len(gone.events)} events are gone from the source; {gone.doubt}" if gone.doubt else ""
