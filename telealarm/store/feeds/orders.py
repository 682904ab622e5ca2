"""Orders for the loop of calendar feeds: what it is to do at a source while a client waits."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from peewee import Expression

from telealarm.models import CalendarFeed, CalendarFeedOrder, Event
from telealarm.store.audit import Actor
from telealarm.store.calendars import events
from telealarm.store.engine import crud, dialect
from telealarm.store.engine.claim import Holder
from telealarm.store.engine.database import wake
from telealarm.store.feeds.feeds import STAGE
from telealarm.words import FeedOrderKind, FeedOrderStatus

# An order that was not begun within this time is not wanted any more.
BEGUN_WITHIN = timedelta(seconds=5)
# Orders hold what clients saw of persons: they are not kept.
_KEPT = timedelta(minutes=10)
_ENDED = (FeedOrderStatus.DONE, FeedOrderStatus.REFUSED, FeedOrderStatus.FAILED)


def add(
    feed: CalendarFeed,
    kind: FeedOrderKind,
    actor: Actor,
    now: datetime,
    *,
    event: Event | None = None,
    body: Mapping[str, Any] | None = None,
) -> CalendarFeedOrder:
    """Order something of the feed's loop."""
    CalendarFeedOrder.delete().where(CalendarFeedOrder.expires < now - _KEPT).execute()
    order = crud.insert(
        CalendarFeedOrder,
        {
            "owner": feed.owner_id,
            "feed": feed,
            "event": event,
            "kind": kind,
            "body": {**(body or {})},
            "who": actor.name,
            "road": actor.road.value,
            "token": actor.token,
            "created_date": now,
            "expires": now + BEGUN_WITHIN,
        },
    )
    wake(STAGE)
    return order


def move(
    feed: CalendarFeed, event: Event, values: Mapping[str, Any], actor: Actor, now: datetime
) -> CalendarFeedOrder:
    """Order the move of an event at its source. Raises Invalid if the times do not fit."""
    asked = {name: values[name] for name in ("start", "end") if name in values}
    columns = events.redrafted(Event.get_by_id(event.id), asked)
    times = {
        "was": event.start,
        "start": columns.get("start", event.start),
        "end": columns.get("end", event.end),
    }
    body = {name: moment.isoformat() for name, moment in times.items()}
    return add(feed, FeedOrderKind.MOVE, actor, now, event=event, body=body)


def wait(now: datetime) -> bool:
    """Return whether an order waits for a worker."""
    return CalendarFeedOrder.select(CalendarFeedOrder.id).where(_waits(now)).exists()


def take(
    holder: Holder, now: datetime, running: Collection[int], limit: int
) -> list[CalendarFeedOrder]:
    """Claim up to `limit` orders, the oldest first. `running`: feeds with an order in progress."""
    waiting = CalendarFeedOrder.select().where(
        _waits(now), CalendarFeedOrder.feed.not_in(list(running))
    )
    taken = list(dialect.skip_locked(waiting.order_by(CalendarFeedOrder.id).limit(limit)))
    claimed = {
        "status": FeedOrderStatus.WORKING,
        "worker": holder.name,
        "fence": holder.fence,
    }
    ids = [order.id for order in taken]
    CalendarFeedOrder.update(claimed).where(CalendarFeedOrder.id.in_(ids)).execute()
    return taken


def ended(
    order: CalendarFeedOrder,
    status: FeedOrderStatus,
    said: str,
    result: Mapping[str, Any] | None = None,
) -> None:
    """Store what became of an order. Nobody asks about one that told answers."""
    if order.kind == FeedOrderKind.TELL:
        forget(order.id)
        return
    columns = {"status": status, "said": said[:500], "result": result}
    CalendarFeedOrder.update(columns).where(CalendarFeedOrder.id == order.id).execute()


def outcome(order_id: int) -> CalendarFeedOrder | None:
    """Return the order if it has ended."""
    mine = CalendarFeedOrder.id == order_id
    return CalendarFeedOrder.get_or_none(mine, CalendarFeedOrder.status.in_(_ENDED))


def forget(order_id: int) -> CalendarFeedOrder | None:
    """Delete an order whose client has its answer, or waits no more. Return it as it was.

    One that has not begun is never begun then.
    """
    order = CalendarFeedOrder.get_or_none(CalendarFeedOrder.id == order_id)
    CalendarFeedOrder.delete().where(CalendarFeedOrder.id == order_id).execute()
    return order


def _waits(now: datetime) -> Expression:
    """Answers wait for a poll of their feed, which may tell them as well."""
    polled = CalendarFeed.select(CalendarFeed.id).where(CalendarFeed.worker.is_null(False))
    ready = (CalendarFeedOrder.kind != FeedOrderKind.TELL) | CalendarFeedOrder.feed.not_in(polled)
    pending = (CalendarFeedOrder.status == FeedOrderStatus.PENDING) & ready
    return pending & (CalendarFeedOrder.expires > now)
