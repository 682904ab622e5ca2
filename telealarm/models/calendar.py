"""Calendar users, their profiles and their calendars. Calendar users cannot log in."""

from typing import Any

from peewee import CharField, Field, ForeignKeyField, IntegerField, JSONField, TextField

from telealarm.methods import alarm_methods
from telealarm.models.account import User
from telealarm.models.base import BaseModel, Key, OptionalKey, UtcField, created
from telealarm.models.reminder_plan import ReminderPlan
from telealarm.models.setting import CalendarSetting

# The password hash of the calendar user whom trial calls belong to. No password has it.
OF_TRIALS = "!"


class CalendarUser(BaseModel):
    owner = ForeignKeyField(User)
    owner_id: Key
    username = CharField(max_length=150)
    password_hash = CharField(max_length=255)
    first_name = CharField(max_length=150, default="")
    last_name = CharField(max_length=150, default="")
    email = CharField(max_length=254, default="")
    created_date = created()
    # A deleted user is hidden with its events, because the call log refers to them.
    deleted = UtcField(null=True)

    class Meta:
        # Unique for each manager: so a manager cannot see that another one uses a name.
        indexes = ((("owner", "username"), True),)


class CalendarUserProfile(BaseModel):
    user = ForeignKeyField(CalendarUser, unique=True, on_delete="CASCADE")
    user_id: Key
    owner = ForeignKeyField(User)
    owner_id: Key
    address = CharField(max_length=200, null=True)
    city = CharField(max_length=120, null=True)
    state = CharField(max_length=120, null=True)
    country = CharField(max_length=60, default="")
    zip_code = CharField(max_length=120, null=True)
    phone_no = CharField(max_length=90, null=True)
    fax = CharField(max_length=90, null=True)
    company_name = CharField(max_length=150, null=True)
    company_website = CharField(max_length=200, null=True)
    language = CharField(max_length=50, null=True)
    note = TextField(null=True)
    accountcode = IntegerField(null=True)
    calendar_setting = ForeignKeyField(CalendarSetting, null=True)
    calendar_setting_id: OptionalKey
    timezone = CharField(max_length=64, null=True)
    permissions: "Field[dict[str, Any]]" = JSONField(
        default=lambda: {
            "methods": list(alarm_methods()),
            "max_alarms_per_day": None,
            "prefixes": [],
        }
    )
    created_date = created()
    updated_date = created()

    # This is no column: store.access.visibility adds it to the selected rows.
    owner_name: str


class Calendar(BaseModel):
    owner = ForeignKeyField(User)
    owner_id: Key
    name = CharField(max_length=200)
    user = ForeignKeyField(CalendarUser)
    user_id: Key
    max_concurrent = IntegerField(default=0)  # 0: no cap
    timezone = CharField(max_length=64, null=True)
    # The plan of its events that name none.
    reminder_plan = ForeignKeyField(ReminderPlan, null=True)
    reminder_plan_id: OptionalKey
    created_date = created()
    deleted = UtcField(null=True)

    # This is no column: queries that join it (store/engine/joined) add the profile of the user.
    profile: "CalendarUserProfile | None"
