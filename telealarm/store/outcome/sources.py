"""Lets the source of events be told answers at once, if it is a CalDAV source that wants them.

The loop of calendar feeds does it. If it cannot soon, the next poll of the feed does.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from peewee import JOIN, fn

from telealarm.models import Alarm, CalendarFeed, CalendarFeedOrder, Event
from telealarm.models.gateway import ACTIVE
from telealarm.store.engine.database import wake
from telealarm.store.engine.prepared import Each, Prepared
from telealarm.words import AuditRoad, FeedAnswers, FeedOrderKind, FeedOrderStatus

_BEGUN_WITHIN = timedelta(minutes=10)


def answered(alarms: Sequence[Alarm], now: datetime) -> list[Alarm]:
    """Order that the sources of the alarms' events are told. Call it in the write of the answer.

    Return those of the alarms whose event has another alarm: it is read in the same statement.
    """
    rows = list(_AROUND.tuples(events=sorted({alarm.event_id for alarm in alarms})))
    feeds = {feed: owner for _, _, feed, owner in rows if feed is not None}
    if feeds:
        _order(feeds, now)
    several = {event for event, number, _, _ in rows if number > 1}
    return [alarm for alarm in alarms if alarm.event_id in several]


def _order(feeds: Mapping[int, int], now: datetime) -> None:
    """Order it for these feeds, each with its owner, unless it is ordered already."""
    over = CalendarFeedOrder.expires < now
    CalendarFeedOrder.delete().where(CalendarFeedOrder.kind == FeedOrderKind.TELL, over).execute()
    waits = CalendarFeedOrder.select(CalendarFeedOrder.feed).where(
        CalendarFeedOrder.feed.in_(list(feeds)),
        CalendarFeedOrder.kind == FeedOrderKind.TELL,
        CalendarFeedOrder.status == FeedOrderStatus.PENDING,
        CalendarFeedOrder.expires > now + _BEGUN_WITHIN / 2,
    )
    ordered = {order.feed_id for order in waits}
    times = {"created_date": now, "expires": now + _BEGUN_WITHIN}
    order = {"kind": FeedOrderKind.TELL, "who": "", "road": AuditRoad.FEED, **times}
    missing = [
        {**order, "feed": feed, "owner": owner}
        for feed, owner in feeds.items()
        if feed not in ordered
    ]
    if missing:
        CalendarFeedOrder.insert_many(missing).execute()
    wake("feeds")


# The events of alarms: how many alarms each has, and the feed whose source wants answers.
_AROUND = Prepared(
    Alarm,
    lambda: (
        Alarm.select(
            Alarm.event, fn.COUNT(Alarm.id), fn.MAX(CalendarFeed.id), fn.MAX(CalendarFeed.owner)
        )
        .join(Event)
        .join(
            CalendarFeed,
            JOIN.LEFT_OUTER,
            on=(CalendarFeed.calendar == Event.calendar)
            & (CalendarFeed.answers != FeedAnswers.NONE)
            & (CalendarFeed.status == ACTIVE)
            & (Event.import_source.is_null(False) | Event.parent_event.is_null(False)),
        )
        .where(Each("events", Alarm.event))
        .group_by(Alarm.event)
    ),
)
