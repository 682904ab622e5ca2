"""The order of waiting requests: each calendar has a queue, and the queues take turns.

So a calendar with ten thousand alarms delays its neighbour by one call, not by ten thousand. The
cost grows with the number of calendars that have waiting requests, not with the requests.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any

from peewee import JOIN, SQL, Case, Select, fn

from telealarm.models import (
    Alarm,
    AlarmRequest,
    Calendar,
    CalendarSetting,
    CalendarUserProfile,
    Gateway,
    User,
)
from telealarm.store.access import contact_caps
from telealarm.store.alarms import alarm_rows
from telealarm.store.alarms.attempts import NO_CALL
from telealarm.store.engine import dialect
from telealarm.store.engine.joined import Joined
from telealarm.store.engine.prepared import Given, Prepared
from telealarm.words import AlarmStatus

# Requests of this many calendars are read at once; the others come next.
MOST = 50


def turns(
    now: datetime, after: int, *, calendars: Sequence[int] = (), gateways: Sequence[int] = ()
) -> list[int]:
    """Return the queues (calendar ids) with a due request, in turn, starting after `after`.

    Queues from which nothing can be claimed now are left out: these `calendars`, and calendars that
    call through these `gateways`.
    """
    if not (calendars or gateways):
        return [queue for (queue,) in _TURNS.tuples(now=now, after=after)]
    query = _in_turn(due_queues(now, calendars, gateways), after)
    return [queue for (queue,) in query.tuples()]


def _in_turn(queues: Select, after: "int | Given") -> Select:
    behind = Case(None, [(SQL("turn.queue") > after, 0)], 1)
    return queues.order_by(behind, SQL("turn.queue")).limit(MOST)


_TURNS = Prepared(
    AlarmRequest,
    lambda: _in_turn(
        due_queues(Given("now", AlarmRequest.date), (), ()), Given("after", AlarmRequest.queue)
    ),
)


def due_queues(
    now: "datetime | Given", calendars: Sequence[int], gateways: Sequence[int]
) -> Select:
    """Return a query for the due queues. It jumps along the index from queue to queue."""
    first = AlarmRequest.alias()
    start = first.select(fn.MIN(first.queue).alias("queue")).where(
        *_waiting(first), first.queue > NO_CALL
    )
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
    moment = now if isinstance(now, Given) else AlarmRequest.date.db_value(now)
    query = (
        Select([queues], [queues.c.queue])
        .with_cte(queues)
        .where(queues.c.queue.is_null(False), due <= moment)
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


def due(queue: int, now: datetime, limit: int) -> list[AlarmRequest]:
    """Return the oldest due requests of a queue, with the rows needed to check them.

    While remembering (read_cache), what most alarms have queries for is known from then on.
    """
    found = DUE.rows_and_facts(queue=queue, now=now, limit=limit)
    for request, facts in found:
        alarm_rows.know(request.alarm, *facts)
    return [request for request, _ in found]


def _due(columns: Sequence[Any]) -> Any:
    query = AlarmRequest.select(*columns).join_from(AlarmRequest, Alarm)
    query = (
        alarm_rows.join(query)
        .join_from(
            CalendarSetting,
            Gateway,
            JOIN.LEFT_OUTER,
            on=CalendarSetting.aleg_gateway == Gateway.id,
        )
        .join_from(AlarmRequest, User, on=AlarmRequest.owner == User.id)
        .where(
            *_waiting(AlarmRequest),
            AlarmRequest.queue == Given("queue", AlarmRequest.queue),
            AlarmRequest.date <= Given("now", AlarmRequest.date),
        )
        .order_by(AlarmRequest.date, AlarmRequest.id)
        .limit(Given("limit", AlarmRequest.id))
    )
    # Rows that another worker or an edit has locked are skipped.
    return dialect.skip_locked(query, of=AlarmRequest)


DUE = Joined(
    AlarmRequest,
    (Alarm, AlarmRequest, "alarm"),
    *alarm_rows.BRANCHES,
    (Gateway, CalendarSetting, "aleg_gateway"),
    (User, AlarmRequest, "owner"),
    build=_due,
    facts=alarm_rows.facts,
    only={User: contact_caps.COLUMNS},
)


@dataclass(frozen=True)
class QueuedRequests:
    """Due requests. `more`: there may be others."""

    requests: list[AlarmRequest]
    more: bool


def next_in_turn(queues: Sequence[int], now: datetime, limit: int) -> QueuedRequests:
    """Return about `limit` requests: the first of each queue, then the second, and so on."""
    each = -(-limit // max(1, len(queues)))
    requests_by_queue = [due(queue, now, each) for queue in queues]
    rounds = zip_longest(*requests_by_queue)
    return QueuedRequests(
        requests=[request for at_once in rounds for request in at_once if request is not None],
        more=len(queues) == MOST or any(len(requests) == each for requests in requests_by_queue),
    )


def _waiting(request: Any) -> tuple[Any, ...]:
    # Not `queue > NO_CALL`: beside a queue's own number it would make SQLite read all that wait.
    return request.status == AlarmStatus.PENDING, request.waits_for == 0
