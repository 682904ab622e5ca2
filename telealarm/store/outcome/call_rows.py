"""Calls with all that their steps need, read by one query."""

from collections.abc import Collection
from typing import Any

from peewee import JOIN

from telealarm.models import (
    Alarm,
    AlarmRequest,
    Calendar,
    CalendarSetting,
    CalendarUser,
    CalendarUserProfile,
    CallRequest,
    Event,
    Gateway,
    Survey,
)
from telealarm.store.engine import dialect, read_cache
from telealarm.store.engine.prepared import Each, Prepared


def whole(call_ids: Collection[int]) -> dict[int, CallRequest]:
    """Return calls by their ids: with request, alarm, event, calendar, survey and gateway.

    The alarms are locked until the end of this write: nobody calls one off meanwhile. Call it while
    remembering (read_cache): the profiles of the calendar users are known from then on.
    """
    calls = {}
    for call in _WHOLE.rows(ids=list(call_ids)):
        call.request.alarm = call.alarm
        calendar = call.alarm.event.calendar
        read_cache.know_profile(calendar.user_id, getattr(calendar, "profile", None))
        calls[call.id] = call
    return calls


def _whole() -> Any:
    query = (
        CallRequest.select(
            *(CallRequest, AlarmRequest, Alarm, Event, Calendar, CalendarUser),
            *(CalendarUserProfile, CalendarSetting, Survey, Gateway),
        )
        .join_from(CallRequest, AlarmRequest)
        .join_from(CallRequest, Alarm)
        .join_from(Alarm, Event)
        .join_from(Event, Calendar)
        .join_from(Calendar, CalendarUser)
        .join_from(
            Calendar,
            CalendarUserProfile,
            JOIN.LEFT_OUTER,
            on=CalendarUserProfile.user == Calendar.user,
            attr="profile",
        )
        .join_from(CalendarUserProfile, CalendarSetting, JOIN.LEFT_OUTER)
        .join_from(CallRequest, Survey)
        .join_from(CallRequest, Gateway)
        .where(CallRequest.id.in_(Each("ids", CallRequest.id)))
        .order_by(Alarm.id)
    )
    return dialect.lock_rows(query, "FOR NO KEY UPDATE", of=Alarm)


_WHOLE = Prepared(CallRequest, _whole)
