"""Calendar settings as clients write them, and the attempts that depend on them."""

from collections.abc import Mapping
from typing import Any

from telealarm.models import Alarm, Calendar, CalendarSetting, CalendarUserProfile, Event
from telealarm.store.alarms import attempts
from telealarm.store.engine import crud


def change(setting: CalendarSetting, values: Mapping[str, Any]) -> None:
    """Edit a setting. Attempts that wait for the calling hours are checked again."""
    before = (setting.calling_days, setting.holidays)
    crud.change(setting, values)
    if (setting.calling_days, setting.holidays) != before:
        users = CalendarUserProfile.select(CalendarUserProfile.user).where(
            CalendarUserProfile.calendar_setting == setting.id
        )
        of_setting = Alarm.select(Alarm.id).join(Event).join(Calendar)
        attempts.reconsider(of_setting.where(Calendar.user.in_(users)))
