"""Calls with all that their steps need, read by one query."""

from collections.abc import Collection, Sequence
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
        calendar = call.alarm.event.calendar
        read_cache.know_profile(calendar.user_id, calendar.profile)
        calls[call.id] = call
    return calls


def _whole(columns: Sequence[Any]) -> Any:
    query = (
        CallRequest.select(*columns)
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
        )
        .join_from(CalendarUserProfile, CalendarSetting, JOIN.LEFT_OUTER)
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
    (Event, Alarm, "event"),
    (Calendar, Event, "calendar"),
    (CalendarUser, Calendar, "user"),
    (CalendarUserProfile, Calendar, "profile"),
    (CalendarSetting, CalendarUserProfile, "calendar_setting"),
    (Survey, CallRequest, "survey"),
    (Gateway, CallRequest, "gateway"),
    build=_whole,
)
