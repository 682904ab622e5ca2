"""Calendar feeds as clients write them, and how they come to a worker and back.

A feed is claimed for one poll: its row holds the worker. A worker that is gone loses its feeds to
the worker that takes it over, as it loses all its work.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from peewee import Expression, fn

from telealarm.errors import Conflict, Invalid, Stale
from telealarm.models import Calendar, CalendarFeed, Event
from telealarm.models.gateway import ACTIVE, INACTIVE
from telealarm.rules import feed_schedule
from telealarm.store.engine import crud, dialect
from telealarm.store.engine.claim import Holder
from telealarm.store.engine.database import wake
from telealarm.words import EventStatus, FeedState

STAGE = "feeds"
# `import_source` of the events of all feeds. A calendar has one feed at the most.
SOURCE = "calendar-feed"
# An edit of one of these does not change what a poll makes of the source.
_HARMLESS = {"name", "poll_seconds", "status"}
_LONGEST_ERROR, _MOST_REMARKS, _LONGEST_REMARK = 500, 50, 300


@dataclass(frozen=True)
class Known:
    """What is known of a source after a poll, so that the next one can tell a change."""

    etag: str = ""
    last_modified: str = ""
    digest: str = ""


@dataclass(frozen=True)
class Ended:
    """How a poll ended. `error`: why it failed. `known` and `events`: of a source that was read.

    `asked`: the events that are gone, if somebody must look first.
    """

    at: datetime
    error: str = ""
    wait_seconds: float = 0.0
    unchanged: bool = False
    known: Known = Known()
    events: int = 0
    remarks: Collection[str] = ()
    asked: Mapping[str, Any] | None = field(default=None)


def add(owner_id: int, values: Mapping[str, Any], most: int, now: datetime) -> CalendarFeed:
    """Create a feed. It is polled at once. Raises Invalid, and Conflict if there are too many."""
    if CalendarFeed.select().where(CalendarFeed.owner == owner_id).count() >= most:
        raise Conflict(f"You have {most} calendar feeds, and no more are allowed; delete one.")
    status = values.get("status", ACTIVE)
    feed = crud.insert(
        CalendarFeed,
        {**values, "owner": owner_id, "next_poll": now if status == ACTIVE else None},
    )
    wake(STAGE)
    return feed


def change(feed: CalendarFeed, values: Mapping[str, Any], now: datetime) -> None:
    """Edit a feed. It is polled at once, and reads its source anew."""
    columns = dict(values)
    if "calendar" in columns and columns.pop("calendar").id != feed.calendar_id:
        raise Invalid({"calendar": ["a feed stays with its calendar; make another feed"]})
    columns["revision"] = feed.revision + 1
    if not columns.keys() <= {*_HARMLESS, "revision"}:
        columns |= {"etag": "", "last_modified": "", "digest": "", "failures": 0, "confirmed": []}
    status = columns.get("status", feed.status)
    columns["next_poll"] = now if status == ACTIVE else None
    crud.change(feed, columns)
    wake(STAGE)


def refresh(feed: CalendarFeed, now: datetime) -> None:
    """Poll the source now. Raises Conflict if the feed is switched off."""
    if feed.status == INACTIVE:
        raise Conflict("The calendar feed is switched off; set its status to 1.")
    crud.change(feed, {"next_poll": now, "revision": feed.revision + 1})
    wake(STAGE)


def read_anew(calendar: Calendar, now: datetime) -> None:
    """Read the source of a calendar's feed again, though it has not changed: the calendar has."""
    anew = {"etag": "", "last_modified": "", "digest": "", "next_poll": now}
    mine = (CalendarFeed.calendar == calendar.id) & (CalendarFeed.status == ACTIVE)
    revised = {**anew, "revision": CalendarFeed.revision + 1}
    if CalendarFeed.update(revised).where(mine).execute():
        wake(STAGE)


def confirm(feed: CalendarFeed, now: datetime) -> None:
    """Let the next poll call off the events that were asked about. Raises Conflict if none were."""
    if feed.state != FeedState.ASKS or not feed.asked:
        raise Conflict("Nothing is asked: no events of this calendar feed wait to be called off.")
    # The source is read anew: what is back by then is not called off.
    forget = {"etag": "", "last_modified": "", "digest": ""}
    crud.change(feed, {"confirmed": feed.asked["ids"], **forget})
    refresh(feed, now)


def remove(feed: CalendarFeed) -> None:
    """Delete a feed. Its events stay, and are ours from now on."""
    CalendarFeed.delete().where(CalendarFeed.id == feed.id).execute()


def next_due() -> datetime | None:
    """Return when the next poll of a feed that nobody polls is due; None: there is none."""
    first = CalendarFeed.select(fn.MIN(CalendarFeed.next_poll)).where(_waits())
    return crud.selected_moment(first)


def take(holder: Holder, now: datetime, running: Collection[int], limit: int) -> list[CalendarFeed]:
    """Claim up to `limit` feeds that are due. Several workers never get the same one.

    What this worker holds and does not poll, `running` are those, is put back: its end could not
    be stored.
    """
    mine = (CalendarFeed.worker == holder.name) & (CalendarFeed.fence == holder.fence)
    inherit(mine & CalendarFeed.id.not_in(list(running)))
    due = CalendarFeed.select().where(_waits(), CalendarFeed.next_poll <= now)
    taken = list(dialect.skip_locked(due.order_by(CalendarFeed.next_poll).limit(limit)))
    claimed = {"worker": holder.name, "fence": holder.fence}
    ids = [feed.id for feed in taken]
    CalendarFeed.update(claimed).where(CalendarFeed.id.in_(ids)).execute()
    for feed in taken:
        feed.worker, feed.fence = holder.name, holder.fence
    return taken


def inherit(condition: Expression) -> None:
    """Put back feeds that a worker has claimed and does not poll any more."""
    if CalendarFeed.update(worker=None).where(condition).execute():
        wake(STAGE)


def hold(feed: CalendarFeed) -> None:
    """Raise Stale if the feed is not ours any more, or was edited since it was claimed.

    Within a write: the row stays locked until the commit.
    """
    if CalendarFeed.update(fence=feed.fence).where(_is_ours(feed)).execute() != 1:
        raise Stale(f"calendar feed {feed.id} was edited, deleted or taken over")


def ended(feed: CalendarFeed, end: Ended) -> None:
    """Store how a poll ended, and when the next one is due."""
    columns: dict[str, Any] = {"worker": None, "last_poll": end.at}
    if end.error:
        failures = feed.failures + 1
        columns |= {"failures": failures, "error": end.error[:_LONGEST_ERROR]}
        columns["state"] = FeedState.FAILING
        due = feed_schedule.following(end.at, feed.poll_seconds, failures, end.wait_seconds)
    else:
        columns |= {"failures": 0, "error": "", "last_success": end.at}
        columns |= _of_unchanged(feed) if end.unchanged else _of_read(end)
        due = feed_schedule.following(end.at, feed.poll_seconds)
    if CalendarFeed.update({**columns, "next_poll": due}).where(_is_ours(feed)).execute() != 1:
        put_back(feed)


def put_back(feed: CalendarFeed) -> None:
    """End a poll of a feed that was edited meanwhile: it is polled again, by what it is now."""
    held = (CalendarFeed.id == feed.id) & (CalendarFeed.worker == feed.worker)
    inherit(held & (CalendarFeed.fence == feed.fence))


def _of_unchanged(feed: CalendarFeed) -> dict[str, Any]:
    return {"state": FeedState.ASKS if feed.asked else FeedState.OK}


def _of_read(end: Ended) -> dict[str, Any]:
    remarks = [text[:_LONGEST_REMARK] for text in [*end.remarks][:_MOST_REMARKS]]
    return {
        "state": FeedState.ASKS if end.asked else FeedState.OK,
        "asked": None if end.asked is None else {**end.asked},
        "confirmed": [],
        "etag": end.known.etag,
        "last_modified": end.known.last_modified,
        "digest": end.known.digest,
        "events": end.events,
        "remarks": remarks,
    }


def states() -> dict[str, int]:
    """Return how many feeds that are switched on are in each state."""
    number = fn.COUNT(CalendarFeed.id)
    rows = CalendarFeed.select(CalendarFeed.state, number).where(CalendarFeed.status == ACTIVE)
    return dict(rows.group_by(CalendarFeed.state).tuples().execute())


def troubles() -> list[str]:
    """Return a sentence for each feed that fails or asks, the oldest first."""
    rows = CalendarFeed.select().where(
        CalendarFeed.status == ACTIVE,
        CalendarFeed.state.in_([FeedState.FAILING, FeedState.ASKS]),
    )
    return [
        f"calendar feed {feed.id} {feed.name!r}: {_trouble(feed)}"
        for feed in rows.order_by(CalendarFeed.id)
    ]


def _trouble(feed: CalendarFeed) -> str:
    if feed.state == FeedState.FAILING:
        return feed.error
    doubt = (feed.asked or {}).get("doubt", "")
    return f"{doubt}; look, and confirm by calendar-feed/{feed.id}/confirm/"


def count(calendar: Calendar) -> int:
    """Return how many events of the source are on in the calendar."""
    mine = (Event.calendar == calendar.id) & (Event.import_source == SOURCE)
    on = Event.deleted.is_null() & (Event.status != EventStatus.COMPLETED)
    return Event.select(Event.id).where(mine, on, Event.parent_event.is_null()).count()


def _waits() -> Expression:
    return (
        (CalendarFeed.status == ACTIVE)
        & CalendarFeed.worker.is_null()
        & CalendarFeed.next_poll.is_null(False)
    )


def _is_ours(feed: CalendarFeed) -> Expression:
    return (
        (CalendarFeed.id == feed.id)
        & (CalendarFeed.worker == feed.worker)
        & (CalendarFeed.fence == feed.fence)
        & (CalendarFeed.revision == feed.revision)
    )
