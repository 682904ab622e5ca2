"""Calls with all that their steps need, read by one query."""

from collections.abc import Collection, Sequence
from typing import Any

from peewee import Expression, fn

from telealarm import sections
from telealarm.models import (
    Alarm,
    AlarmRequest,
    Calendar,
    CalendarUser,
    CallRequest,
    Gateway,
    Installation,
    Section,
    Survey,
    SurveyResult,
)
from telealarm.store.alarms import alarm_rows
from telealarm.store.engine import dialect, read_cache
from telealarm.store.engine.joined import Joined
from telealarm.store.engine.prepared import Each

# Under which `whole` lets it be known whether all dialing is paused (read_cache).
PAUSED = "dialing is paused"


def whole(call_ids: Collection[int]) -> dict[int, CallRequest]:
    """Return calls by their ids: with request, alarm, event, calendar, survey and gateway.

    The alarms are locked until the end of this write: nobody calls one off meanwhile. Call it while
    remembering (read_cache): what most alarms have queries for is known from then on.
    """
    calls = {}
    for call, (keyed, paused, *facts) in _WHOLE.rows_and_facts(ids=list(call_ids)):
        call.request.alarm = call.alarm
        alarm_rows.know(call.alarm, *facts)
        read_cache.know(("keyed", call.id), keyed)
        read_cache.know(PAUSED, paused)
        calls[call.id] = call
    return calls


def was_keyed(call: CallRequest) -> bool:
    """Return whether the callee of a call that `whole` read had pressed a key that counts."""
    return bool(read_cache.known(("keyed", call.id)))


def keys_that_count() -> Expression:
    """Return the condition that a survey result, with its section, is such a key.

    Or the callee has talked with an agent.
    """
    counts = Section.type.in_(sections.asking())
    for number, responses in sections.counting().items():
        counts |= (Section.type == number) & SurveyResult.response.in_(responses)
    return counts


def _facts() -> Sequence[Any]:
    keyed = SurveyResult.select(SurveyResult.id).join(Section)
    keyed = keyed.where(SurveyResult.call == CallRequest.id, keys_that_count())
    paused = Installation.select(Installation.id).where(Installation.paused.is_null(False))
    return fn.EXISTS(keyed), fn.EXISTS(paused), *alarm_rows.facts()


def _whole(columns: Sequence[Any]) -> Any:
    query = CallRequest.select(*columns).join_from(CallRequest, AlarmRequest)
    query = (
        alarm_rows.join(query.join_from(CallRequest, Alarm))
        .join_from(Calendar, CalendarUser)
        .join_from(CallRequest, Survey)
        .join_from(CallRequest, Gateway)
        .where(Each("ids", CallRequest.id))
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
    facts=_facts,
)
