"""Calendars and profiles as clients write them.

A change of their zone affects attempts that wait for the calling hours, and occurrences of series.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from peewee import Expression, ModelSelect

from telealarm.models import Alarm, Calendar, CalendarUserProfile, Event
from telealarm.store.alarms import alarms, attempts, parents
from telealarm.store.engine import crud
from telealarm.store.reminder_plans import backlog
from telealarm.words import UNSETTLED


def change_calendar(calendar: Calendar, values: Mapping[str, Any], now: datetime) -> None:
    """Edit a calendar. Its zone may come from its calendar user."""
    before, plan = (calendar.timezone, calendar.user_id), calendar.reminder_plan_id
    crud.change(calendar, values)
    if (calendar.timezone, calendar.user_id) != before:
        _follow(Calendar.id == calendar.id, now)
    if calendar.reminder_plan_id != plan:
        mine = (Event.calendar == calendar.id) & Event.reminder_plan.is_null()
        backlog.edited(mine, now)


def change_profile(profile: CalendarUserProfile, values: Mapping[str, Any], now: datetime) -> None:
    """Edit the profile of a calendar user. Another calendar setting has other calling days."""
    before = (profile.timezone, profile.calendar_setting_id)
    crud.change(profile, values)
    if (profile.timezone, profile.calendar_setting_id) != before:
        _follow(Calendar.user == profile.user_id, now)


def _follow(calendars: Expression, now: datetime) -> None:
    """Check waiting attempts again, and compute the alarms and the series again."""
    mine = Event.select(Event.id).join(Calendar).where(calendars, Event.deleted.is_null())
    attempts.reconsider(Alarm.select(Alarm.id).where(Alarm.event.in_(mine)))
    for alarm in _at_a_distance(mine):
        alarms.reschedule([alarm], alarm.event, now)
    series = mine.where(Event.rule.is_null(False), Event.timezone.is_null())
    parents.edited([event.id for event in series], now)


def _at_a_distance(events: "ModelSelect[Event]") -> list[Alarm]:
    """Return the unfinished alarms that keep a distance from their event on the wall clock."""
    return list(
        Alarm.select().where(
            Alarm.event.in_(events.where(Event.timezone.is_null())),
            Alarm.offset != 0,
            Alarm.deleted.is_null(),
            Alarm.status.in_(UNSETTLED),
        )
    )
