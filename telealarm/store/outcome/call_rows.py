"""Calls with all that their steps need, read by one query."""

from collections.abc import Collection, Sequence
from typing import Any

from telealarm.models import (
    Alarm,
    AlarmRequest,
    Calendar,
    CalendarUser,
    CallRequest,
    Gateway,
    Survey,
)
from telealarm.store.alarms import alarm_rows
from telealarm.store.engine import dialect
from telealarm.store.engine.joined import Joined
from telealarm.store.engine.prepared import Each


def whole(call_ids: Collection[int]) -> dict[int, CallRequest]:
    """Return calls by their ids: with request, alarm, event, calendar, survey and gateway.

    The alarms are locked until the end of this write: nobody calls one off meanwhile. Call it while
    remembering (read_cache): the profiles of the calendar users are known from then on.
    """
    calls = {}
    for call in _WHOLE.rows(ids=list(call_ids)):
        call.request.alarm = call.alarm
        alarm_rows.know(call.alarm)
        calls[call.id] = call
    return calls


def _whole(columns: Sequence[Any]) -> Any:
    query = CallRequest.select(*columns).join_from(CallRequest, AlarmRequest)
    query = (
        alarm_rows.join(query.join_from(CallRequest, Alarm))
        .join_from(Calendar, CalendarUser)
        .join_from(CallRequest, Survey)
        .join_from(CallRequest, Gateway)
        .where(CallRequest.id.in_(Each("ids", CallRequest.id)))
        .order_by(Alarm.id)
    )
    return dialect.lock_rows(query, "FOR NO KEY UPDATE", of=Alarm)


_WHOLE = Joined(
    CallRequest,
    (AlarmRequest, CallRequest, "request"),
    (Alarm, CallRequest, "alarm"),
    *alarm_rows.BRANCHES,
    (CalendarUser, Calendar, "user"),
    (Survey, CallRequest, "survey"),
    (Gateway, CallRequest, "gateway"),
    build=_whole,
)
