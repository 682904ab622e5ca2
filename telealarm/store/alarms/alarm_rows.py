"""What decides how an alarm goes out, read by the query that reads the alarm."""

from typing import Any

from peewee import JOIN

from telealarm.models import Alarm, Calendar, CalendarSetting, CalendarUserProfile, Event, Person
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


def know(alarm: Alarm) -> None:
    """While remembering (read_cache): let nobody read the alarm's profile again."""
    calendar = alarm.event.calendar
    read_cache.know_profile(calendar.user_id, calendar.profile)
