"""Whose turn it is: waiting requests stand in a queue for each calendar, served one by one.

So a calendar with ten thousand alarms delays its neighbour's by one call and not by ten thousand.
What is read grows with the calendars that have a request waiting, not with the requests.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any

from peewee import SQL, Case, ModelSelect, Select, fn

from telealarm.models import (
    Alarm,
    AlarmRequest,
    Calendar,
    CalendarSetting,
    CalendarUserProfile,
    Event,
)
from telealarm.store.alarms.attempts import NO_CALL
from telealarm.store.engine import dialect
from telealarm.words import AlarmStatus

# Of how many calendars requests are taken at once; the others come next.
MOST = 50


def turns(
    now: datetime, after: int, *, calendars: Sequence[int] = (), gateways: Sequence[int] = ()
) -> list[int]:
    """The queues (calendar ids) with a request that is due, in turn from the one behind `after` on.

    Without those that nothing can be claimed of now: of these `calendars`, or that call by one of
    these `gateways`.
    """
    query = due_queues(now, calendars, gateways)
    behind = Case(None, [(SQL("turn.queue") > after, 0)], 1)
    rows = query.order_by(behind, SQL("turn.queue")).limit(MOST).tuples()
    return [queue for (queue,) in rows]


def due_queues(now: datetime, calendars: Sequence[int], gateways: Sequence[int]) -> Select:
    """Hops from queue to queue along the index, however many requests stand in each."""
    first = AlarmRequest.alias()
    start = first.select(fn.MIN(first.queue).alias("queue")).where(*_waiting(first))
    turn = start.cte("turn", recursive=True, columns=("queue",))
    following = AlarmRequest.alias()
    hop = following.select(fn.MIN(following.queue)).where(
        *_waiting(following), following.queue > turn.c.queue
    )
    queues = turn.union_all(Select([turn], [hop]).where(turn.c.queue.is_null(False)))
    request = AlarmRequest.alias()
    due = request.select(fn.MIN(request.date)).where(
        *_waiting(request), request.queue == queues.c.queue
    )
    query = (
        Select([queues], [queues.c.queue])
        .with_cte(queues)
        .where(queues.c.queue.is_null(False), due <= AlarmRequest.date.db_value(now))
        .bind(AlarmRequest._meta.database)
    )
    if calendars:
        query = query.where(queues.c.queue.not_in(list(calendars)))
    if gateways:
        blocked = (
            Calendar.select(Calendar.id)
            .join(CalendarUserProfile, on=CalendarUserProfile.user == Calendar.user)
            .join(CalendarSetting)
            .where(CalendarSetting.aleg_gateway.in_(list(gateways)))
        )
        query = query.where(queues.c.queue.not_in(blocked))
    return query


def due(queue: int, now: datetime, limit: int) -> "ModelSelect[AlarmRequest]":
    """The oldest requests of a queue that are due, with what is needed to look at them."""
    query = (
        AlarmRequest.select(AlarmRequest, Alarm, Event, Calendar)
        .join(Alarm)
        .join(Event)
        .join(Calendar)
        .where(*_waiting(AlarmRequest), AlarmRequest.queue == queue, AlarmRequest.date <= now)
        .order_by(AlarmRequest.date, AlarmRequest.id)
        .limit(limit)
    )
    # Rows that another worker, or an edit, has in hand are passed over.
    return dialect.skip_locked(query, of=AlarmRequest)


@dataclass(frozen=True)
class QueuedRequests:
    """Requests that are due; `more`: there may be others."""

    requests: list[AlarmRequest]
    more: bool


def next_in_turn(queues: Sequence[int], now: datetime, limit: int) -> QueuedRequests:
    """About `limit` requests: the first of each queue, then the second of each, and so on."""
    each = -(-limit // max(1, len(queues)))
    found = [list(due(queue, now, each)) for queue in queues]
    rounds = zip_longest(*found)
    return QueuedRequests(
        requests=[request for at_once in rounds for request in at_once if request is not None],
        more=len(queues) == MOST or any(len(requests) == each for requests in found),
    )


def _waiting(request: Any) -> tuple[Any, ...]:
    return (
        request.status == AlarmStatus.PENDING,
        request.waits_for == 0,
        request.queue > NO_CALL,
    )
