"""Calendar settings as clients write them, and the attempts that depend on them."""

from collections.abc import Mapping
from typing import Any

from telealarm.errors import Invalid
from telealarm.models import Alarm, Calendar, CalendarSetting, CalendarUserProfile, Event
from telealarm.store import numbers
from telealarm.store.alarms import attempts
from telealarm.store.engine import crud, regions


def create(owner_id: int, values: Mapping[str, Any]) -> CalendarSetting:
    """Return a new setting. Raises Invalid."""
    region = values.get("region") or regions.of_owner(owner_id)
    values = numbers.columns(values, numbers.OF_SETTING, region)
    setting = crud.insert(CalendarSetting, {**values, "owner": owner_id})
    _check_failure_number(setting)
    return setting


def change(setting: CalendarSetting, values: Mapping[str, Any]) -> None:
    """Edit a setting. Attempts that wait for the calling hours are checked again."""
    before = _days(setting)
    region = values.get("region", setting.region) or regions.of_owner(setting.owner_id)
    values = numbers.columns(values, numbers.OF_SETTING, region)
    crud.change(setting, values)
    if values.keys() & {"failure_phonenumber", "aleg_gateway", "region"}:
        _check_failure_number(setting)
    if _days(setting) != before:
        users = CalendarUserProfile.select(CalendarUserProfile.user).where(
            CalendarUserProfile.calendar_setting == setting.id
        )
        of_setting = Alarm.select(Alarm.id).join(Event).join(Calendar)
        attempts.reconsider(of_setting.where(Calendar.user.in_(users)))


def _days(setting: CalendarSetting) -> tuple[object, ...]:
    return setting.calling_days, setting.holidays, setting.holidays_of


def _check_failure_number(setting: CalendarSetting) -> None:
    """Raise Invalid if the gateway may not dial the setting's failure_phonenumber."""
    number = numbers.of_failure(setting)
    if not number.written:
        return
    route = numbers.route(setting.aleg_gateway, setting)
    if emergency := route.emergency(number):
        raise Invalid(
            {
                "failure_phonenumber": [
                    f"gateway {route.name} would dial {emergency}, an emergency number; a superuser"
                    " may set `extensions` of the gateway if it reaches your own phones only"
                ]
            }
        )
    profiles = CalendarUserProfile.select().where(
        CalendarUserProfile.calendar_setting == setting.id
    )
    for profile in profiles:
        if not route.permits(number, profile.permissions["prefixes"]):
            raise Invalid(
                {
                    "failure_phonenumber": [
                        f"the calendar user {profile.user.username} has this setting and may not"
                        " reach this number"
                    ]
                }
            )
