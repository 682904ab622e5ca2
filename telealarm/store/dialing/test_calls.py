"""Trial calls: call one number now with a sealed survey, to hear how it sounds.

A trial is like every call: do-not-call lists, gateway rules, caps and pauses apply, and its
timeline tells what happened. Its event is in a special calendar for each calendar setting, which
the first trial creates.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from telealarm.errors import Invalid
from telealarm.models import (
    AlarmRequest,
    Calendar,
    CalendarSetting,
    CalendarUser,
    CalendarUserProfile,
    Event,
    Survey,
)
from telealarm.models.calendar import OF_TRIALS
from telealarm.store.alarms import alarms, attempts, permissions, quota
from telealarm.store.engine import crud

# A trial that could not be placed in this time is not wanted any more.
PATIENCE = timedelta(minutes=5)


def call(
    survey: Survey, number: str, data: Mapping[str, Any] | None, now: datetime
) -> AlarmRequest:
    """Call `number`. `data` fills the placeholders, as an event's does.

    Raises Invalid, and LimitReached at the end of the write.
    """
    quota.trial(survey.owner_id, now)
    calendar = _calendar(_setting(survey))
    event = crud.insert(
        Event,
        {
            "owner": survey.owner_id,
            "title": f"Trial call: {survey.name}"[:255],
            "start": now,
            "end": now + PATIENCE,
            "creator": calendar.user_id,
            "calendar": calendar,
            "data": data,
            "created_on": now,
        },
    )
    values = {"event": event, "alarm_phonenumber": number, "survey": survey}
    try:
        alarm = alarms.create(survey.owner_id, values, now)
        permissions.check(alarm, None)
    except Invalid as error:
        names = {"alarm_phonenumber": "phonenumber"}
        raise Invalid({names.get(n, n): texts for n, texts in error.fields.items()}) from None
    return attempts.enqueue(alarm, now, now)


def _setting(survey: Survey) -> CalendarSetting:
    """Return the owner's first calendar setting with this survey, else their first one."""
    of_owner = CalendarSetting.select().where(CalendarSetting.owner == survey.owner_id)
    settings = of_owner.order_by(CalendarSetting.id)
    setting = (
        settings.where(CalendarSetting.survey == survey.id).get_or_none() or settings.get_or_none()
    )
    if setting is None:
        raise Invalid(
            {
                "calendar-setting": [
                    "there is none, so no gateway and no caller id; make one with"
                    " POST calendar-setting/"
                ]
            }
        )
    return setting


def _calendar(setting: CalendarSetting) -> Calendar:
    owner_id, name = setting.owner_id, f"trial calls {setting.id}"
    mine = (CalendarUser.owner == owner_id) & (CalendarUser.username == name)
    user = CalendarUser.get_or_none(mine, CalendarUser.deleted.is_null())
    if user is None:
        values = {"owner": owner_id, "username": name, "password_hash": OF_TRIALS}
        user = crud.insert(CalendarUser, values)
    profile, _ = CalendarUserProfile.get_or_create(user=user, defaults={"owner": owner_id})
    if profile.calendar_setting_id != setting.id:
        crud.change(profile, {"calendar_setting": setting})
    calendar = Calendar.get_or_none(Calendar.user == user.id, Calendar.deleted.is_null())
    return calendar or crud.insert(Calendar, {"owner": owner_id, "name": name, "user": user})
