"""What decides how an alarm goes out, read by the query that reads the alarm."""

from collections.abc import Sequence
from typing import Any

from peewee import JOIN, fn

from telealarm.models import (
    Alarm,
    Calendar,
    CalendarSetting,
    CalendarUserProfile,
    DncList,
    Event,
    Person,
    Webhook,
)
from telealarm.models.gateway import ACTIVE
from telealarm.store.engine import read_cache
from telealarm.store.engine.joined import Branch

# For Joined: the rows that hang on an alarm, in the order in which `join` joins them.
BRANCHES: tuple[Branch, ...] = (
    (Event, Alarm, "event"),
    (Person, Event, "person"),
    (Calendar, Event, "calendar"),
    (CalendarUserProfile, Calendar, "profile"),
    (CalendarSetting, CalendarUserProfile, "calendar_setting"),
)


def join(query: Any) -> Any:
    """Return the query, which has the alarms already, with their BRANCHES.

    An event may have no person, a calendar user no profile, and a profile no calendar setting.
    """
    return (
        query.join_from(Alarm, Event)
        .join_from(Event, Person, JOIN.LEFT_OUTER)
        .join_from(Event, Calendar)
        .join_from(
            Calendar,
            CalendarUserProfile,
            JOIN.LEFT_OUTER,
            on=CalendarUserProfile.user == Calendar.user,
        )
        .join_from(CalendarUserProfile, CalendarSetting, JOIN.LEFT_OUTER)
    )


def facts() -> Sequence[Any]:
    """Return the columns of what `know` is told: most alarms need no more queries for these."""
    hooks = Webhook.select(Webhook.id).where(Webhook.owner == Alarm.owner, Webhook.status == ACTIVE)
    lists = DncList.select(DncList.id).where(DncList.owner == Alarm.owner)
    return fn.EXISTS(hooks), fn.EXISTS(lists)


def know(alarm: Alarm, hooks: bool, lists: bool) -> None:
    """While remembering (read_cache): let nobody read again what is known of the alarm.

    `hooks`, `lists`: its owner has webhooks, do-not-call lists.
    """
    calendar = alarm.event.calendar
    read_cache.know_profile(calendar.user_id, calendar.profile)
    if not hooks:
        read_cache.know(("hooks", alarm.owner_id), [])
    if not lists:
        read_cache.know(("no lists", alarm.owner_id), True)
