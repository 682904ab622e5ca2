"""The calls that are up or on their way, and what they take up of the caps."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from peewee import PostgresqlDatabase

from telealarm.models import (
    Alarm,
    AlarmRequest,
    Calendar,
    CalendarSetting,
    CalendarUserProfile,
    CallRequest,
    Event,
    Gateway,
)
from telealarm.rules.states import Method

# PostgreSQL's advisory lock for claiming, any fixed number.
_LOCK = 7_135_712


@dataclass
class Live:
    """How many calls have not ended, by what limits them."""

    numbers: set[str] = field(default_factory=set)
    calendars: Counter[int] = field(default_factory=Counter)
    gateways: Counter[int] = field(default_factory=Counter)


def alone() -> None:
    """Until the end of this transaction no other worker counts and claims.

    Two that counted at once would both find room under one cap. SQLite has one writer anyway.
    """
    database = CallRequest._meta.database
    if isinstance(database, PostgresqlDatabase):
        database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))


def count() -> Live:
    """Count the calls that have not ended."""
    found = Live()
    rows = (
        CallRequest.select(CallRequest.phone_number, CallRequest.gateway, Event.calendar)
        .join(Alarm)
        .join(Event)
        .where(CallRequest.ended.is_null())
        .tuples()
    )
    for number, gateway, calendar in rows:
        found.numbers.add(number)
        found.gateways[gateway] += 1
        found.calendars[calendar] += 1
    return found


def not_blocked(live: Live) -> Any:
    """The condition that a waiting request could be called now, whatever `live` takes up."""
    calendars = [
        row.id
        for row in Calendar.select().where(Calendar.id.in_(list(live.calendars)))
        if row.max_concurrent and live.calendars[row.id] >= row.max_concurrent
    ]
    gateways = [
        row.id
        for row in Gateway.select().where(Gateway.id.in_(list(live.gateways)))
        if row.maximum_call and live.gateways[row.id] >= row.maximum_call
    ]
    blocked = Alarm.select(Alarm.id).join(Event)
    full = Alarm.alarm_phonenumber.in_(list(live.numbers)) | Event.calendar.in_(calendars)
    if gateways:
        blocked = (
            blocked.join(Calendar)
            .join(CalendarUserProfile, on=CalendarUserProfile.user == Calendar.user)
            .join(CalendarSetting)
        )
        full |= CalendarSetting.aleg_gateway.in_(gateways)
    return AlarmRequest.alarm.not_in(blocked.where(full, Alarm.method == Method.CALL))
