"""Makes the events of a calendar what its source says: the import with --mirror.

It runs in a thread of its own. Its transactions are queued as all others are, so calls never wait
for a large source.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, ParamSpec, TypeVar

import peewee

from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.errors import TeleAlarmError
from telealarm.feeds import answers, recipients, selection
from telealarm.importing import ics
from telealarm.importing.draft import Draft, Note, Rejected
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
BATCH = 5


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

    return await asyncio.to_thread(_mirror, _writer(config, db, feed, guard), feed, data)


def _writer(
    config: Config, db: Database, feed: CalendarFeed, guard: Callable[[], Collection[str]]
) -> Writer:
    return Writer(
        config,
        QueuedTransactions(db),
        calendar=str(feed.calendar_id),
        user=None,
        source=feeds.SOURCE,
        file=f"calendar-feed {feed.id}",
        actor=actor(feed),
        batch=BATCH,
        drops_alarms=bool(feed.number or feed.number_fields),
        guard=guard,
    )


def _mirror(writer: Writer, feed: CalendarFeed, data: bytes) -> Mirrored:
    calendar = writer.calendar()
    zone = writer.look(time_zones.of_calendar, calendar)
    wish = selection.wish(feed, zone, utcnow())
    drafts = writer.look(recipients.named, calendar, _drafts(data, wish))
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


async def write_one(config: Config, db: Database, feed: CalendarFeed, data: bytes) -> None:
    """Write what a resource of the source says, and nothing else. Raises TeleAlarmError."""
    writer = _writer(config, db, feed, lambda: ())

    def work() -> None:
        calendar = writer.calendar()
        zone = writer.look(time_zones.of_calendar, calendar)
        found = _drafts(data, selection.wish(feed, zone, utcnow()))
        drafts = writer.look(recipients.named, calendar, found)
        report = writer.write(drafts, dry_run=False, progress=lambda done: None)
        for refused in report.refused:
            raise TeleAlarmError(refused.message)

    await asyncio.to_thread(work)


def _drafts(data: bytes, wish: ics.Wish) -> list[Draft | Rejected | Note]:
    """Return the events of a source as it means them, without the marks that we wrote there.

    Their SEQUENCE does not count: a source is right, also if it goes back to an older version.
    """
    found = ics.read_bytes(data, "the source", wish)
    return [_meant(one) if isinstance(one, Draft) else one for one in found]


def _meant(draft: Draft) -> Draft:
    title = answers.unmarked(draft.event["title"])
    return replace(draft, event={**draft.event, "title": title}, sequence=None)


def _doubt(writer: Writer, gone: Gone) -> str:
    """Return why somebody must look before the events are called off."""
    if gone.events and writer.is_doubtful:
        return (
            f"{len(gone.events)} events are gone from the source, and something of the source"
            " could not be read that may be one of them"
        )
    return f"{len(gone.events)} events are gone from the source; {gone.doubt}" if gone.doubt else ""
