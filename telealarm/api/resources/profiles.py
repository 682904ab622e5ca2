"""calendar-user-profile/{calendar user id}/: the details and the rights of a calendar user."""

from typing import Annotated, Any, ClassVar

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields import json_schema
from telealarm.api.fields.base import FieldType, Schema
from telealarm.api.fields.form import Form
from telealarm.api.fields.numbers import Whole
from telealarm.api.fields.relation import Relation
from telealarm.api.fields.reply import CREATED, UPDATED, Column, SelfLink
from telealarm.api.fields.texts import Text, Zone
from telealarm.api.resources.gateways import Prefixes
from telealarm.api.rest.resource import Resource, Values
from telealarm.methods import alarm_methods
from telealarm.models import CalendarUserProfile
from telealarm.store.access import users
from telealarm.store.calendars import calendars

METHODS = list(alarm_methods())
NO_LIMITS = {"methods": METHODS, "max_alarms_per_day": None, "prefixes": []}


class Permissions(FieldType):
    """What a calendar user's alarms may use: which methods, how many a day, which numbers."""

    def read(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or set(value) - set(NO_LIMITS):
            raise ValueError(f"must be a JSON object with {', '.join(NO_LIMITS)}")
        allowed = value.get("methods", METHODS)
        if not isinstance(allowed, list) or not all(method in METHODS for method in allowed):
            raise ValueError(f"methods: must be a list of {_offered()}")
        most = value.get("max_alarms_per_day")
        return {
            "methods": [number for number in METHODS if number in allowed],
            "max_alarms_per_day": None if most is None else Whole(0).read(most),
            "prefixes": Prefixes().read(value.get("prefixes", [])),
        }

    def schema(self) -> Schema:
        most = json_schema.nullable(Whole(0).schema())
        methods = json_schema.numbers(
            {number: method.name for number, method in alarm_methods().items()}, "AlarmMethod"
        )
        return {
            "type": "object",
            "properties": {
                "methods": {"type": "array", "items": methods},
                "max_alarms_per_day": most,
                "prefixes": Prefixes().schema(),
            },
            "additionalProperties": False,
        }


SETTING_ID = Column("calendar_setting_id", {"type": ["integer", "null"]})


def _offered() -> str:
    """Return the methods as a text: 1 (call), 2 (SMS) and 3 (email)."""
    *others, last = (f"{method.number} ({method.title})" for method in alarm_methods().values())
    return f"{', '.join(others)} and {last}"


class ProfileForm(Form):
    manager: ClassVar = Column(
        "owner_name", {"type": "string"}, meaning="The manager who owns the calendar user."
    )
    id: ClassVar = Column(meaning="The number in the link.")
    user: ClassVar = Column("user_id", {"type": "integer"}, meaning="The id of the calendar user.")
    address: Annotated[str | None, Text(200)] = None
    """Street and house number."""
    city: Annotated[str | None, Text(120)] = None
    """The city."""
    state: Annotated[str | None, Text(120)] = None
    """The state or province."""
    country: Annotated[str, Text(60)] = ""
    """The country."""
    zip_code: Annotated[str | None, Text(120)] = None
    """The postal code."""
    phone_no: Annotated[str | None, Text(90)] = None
    """The calendar user's phone number."""
    fax: Annotated[str | None, Text(90)] = None
    """The fax number."""
    company_name: Annotated[str | None, Text(150)] = None
    """The company."""
    company_website: Annotated[str | None, Text(200)] = None
    """The company's website."""
    language: Annotated[str | None, Text(50)] = None
    """Kept for the predecessor's clients. Each alarm has a language field."""
    note: Annotated[str | None, Text(10_000, lines=True)] = None
    """A note for people."""
    accountcode: Annotated[int | None, Whole()] = None
    """The PIN for recipients who call back, if the event's data has none."""
    created_date: ClassVar = CREATED
    updated_date: ClassVar = UPDATED
    calendar_setting: Annotated[int | None, Relation("calendar-setting"), SETTING_ID] = None
    """The setting for the calls of this calendar user."""
    url: ClassVar = SelfLink("calendar-user-profile", "user_id")
    timezone: Annotated[str | None, Zone()] = None
    """The time zone of calendars that have none. Default: the service's."""
    permissions: Annotated[dict[str, Any], Permissions()] = NO_LIMITS
    """What the alarms of this calendar user may do. Default: everything."""


def change(context: RequestContext, row: CalendarUserProfile, values: Values) -> None:
    calendars.change_profile(row, values, context.now)


def delete(context: RequestContext, row: CalendarUserProfile) -> None:
    users.empty_profile(row)


CALENDAR_USER_PROFILE = Resource(
    name="calendar-user-profile",
    model=CalendarUserProfile,
    form=ProfileForm,
    filters={"calendar_setting": CalendarUserProfile.calendar_setting},
    change=change,
    delete=delete,
    key="user",
    example={"accountcode": 35365532, "calendar_setting": "/rest-api/calendar-setting/1/"},
)
