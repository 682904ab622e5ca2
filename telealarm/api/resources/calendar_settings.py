"""calendar-setting/: how the calls of a manager's calendar users are made."""

from datetime import date
from typing import Annotated, Any, ClassVar

from pydantic import Field

from telealarm.api.core import links
from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields.base import FieldType, Schema
from telealarm.api.fields.choices import Choice
from telealarm.api.fields.form import Form
from telealarm.api.fields.numbers import Flag, Whole
from telealarm.api.fields.relation import Relation
from telealarm.api.fields.reply import CREATED, UPDATED, Column, SelfLink
from telealarm.api.fields.texts import Phone, Region, Text
from telealarm.api.rest.resource import Resource, Values, remove_row
from telealarm.errors import Invalid
from telealarm.models import CalendarSetting
from telealarm.rules import public_holidays
from telealarm.rules.calling_hours import WEEKDAYS
from telealarm.store.access import users
from telealarm.store.calendars import calendar_settings
from telealarm.words import AmdBehavior

EVERY_DAY = ",".join(WEEKDAYS)

SEALED = Relation(
    "sealed-survey",
    {
        "survey-template": "this survey is not sealed; POST to its seal/ and take the sealed-survey"
        " that it answers with"
    },
)


class CallingDays(Text):
    """Days of the week, like MO,TU,WE."""

    def read(self, value: Any) -> str:
        days = [day.strip().upper() for day in super().read(value).split(",")]
        if not set(days) <= set(WEEKDAYS):
            raise ValueError(f"must be days like {EVERY_DAY}")
        return ",".join(day for day in WEEKDAYS if day in days)

    def schema(self) -> Schema:
        day = f"(?:{'|'.join(WEEKDAYS)})"
        return {"type": "string", "pattern": f"^{day}(?:,{day}){{0,6}}$", "examples": [EVERY_DAY]}


class Holidays(FieldType):
    """A list of dates, like 2026-12-25."""

    def read(self, value: Any) -> list[str]:
        try:
            if not isinstance(value, list) or len(value) > 1000:
                raise ValueError
            return sorted({date.fromisoformat(str(day)).isoformat() for day in value})
        except ValueError:
            raise ValueError('must be a list of dates like ["2026-12-25"]') from None

    def schema(self) -> Schema:
        return {"type": "array", "maxItems": 1000, "items": {"type": "string", "format": "date"}}


class HolidaysOf(Text):
    """Countries or regions with commas between, like DE-BY,AT."""

    def read(self, value: Any) -> str:
        return ",".join(public_holidays.read(super().read(value)))

    def schema(self) -> Schema:
        code = "[A-Za-z]{2}(?:-[A-Za-z0-9]{1,3})?"
        return {**self.line(), "pattern": f"^(?:{code}(?:, ?{code})*)?$", "examples": ["DE-BY"]}


class Manager(FieldType):
    """A manager: a link, an id or a name. Only superusers choose. Managers get themselves."""

    def read(self, value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ValueError("must be a link to a user, an id or a name")
        link = links.parse(str(value))
        return str(link[1]) if link and link[0] == "users" else Text(150).read(value)

    def schema(self) -> Schema:
        return {"type": "string", "maxLength": 150}


class CalendarSettingForm(Form):
    url: ClassVar = SelfLink("calendar-setting")
    label: Annotated[str, Text(80, 1)]
    """The name of the setting in lists."""
    callerid: Annotated[str, Text(80)] = ""
    """The number that the callee sees."""
    caller_name: Annotated[str, Text(80)] = ""
    """The name that the callee sees."""
    call_timeout: Annotated[int, Whole(1, 600)] = 60
    """How long the phone rings, in seconds."""
    user: Annotated[str | None, Manager(), Column("owner_name", {"type": "string"})] = None
    """The manager who owns the setting."""
    survey: Annotated[int, SEALED]
    """The survey of a call, unless the alarm names one."""
    aleg_gateway: Annotated[int, Relation("gateway")]
    """The gateway for calls."""
    sms_gateway: Annotated[int | None, Relation("sms-gateway")] = None
    """The gateway for SMS. Without it, no SMS is sent."""
    voicemail: Annotated[bool, Flag()] = False
    """Whether Asterisk detects if a person or a machine answers."""
    amd_behavior: Annotated[
        int, Choice({item.value: item.name.lower() for item in AmdBehavior})
    ] = AmdBehavior.ALWAYS
    """Who hears the survey: both, only persons, or only machines."""
    voicemail_audiofile: Annotated[int | None, Relation("audio-files")] = None
    """The recording for a machine. Without it, a machine hears who called, and the number to call
    back: `caller_name` and `callerid`.
    """
    created_date: ClassVar = CREATED
    updated_date: ClassVar = UPDATED
    settle: Annotated[bool, Flag()] = True
    """Whether one answer cancels the other alarms of the event."""
    calling_days: Annotated[str, CallingDays(30, 1)] = EVERY_DAY
    """The days of the week on which alarms may go out, in the recipient's time zone."""
    holidays: Annotated[list[str], Holidays()] = Field(default_factory=list)
    """Dates on which no alarm goes out."""
    holidays_of: Annotated[str, HolidaysOf(200)] = ""
    """Countries or regions, like `DE-BY` or `ES-MD,ES-CM`: on their public holidays no alarm goes
    out, in the recipient's time zone. Beside `holidays`.
    """
    snooze_minutes: Annotated[int, Whole(1, 1440)] = 10
    """How long after a snooze key the next call follows, in minutes."""
    callback_pin: Annotated[bool, Flag()] = False
    """Whether a recipient who calls back must enter a PIN before the survey."""
    confirm_spoken: Annotated[bool, Flag()] = False
    """Whether each answer is repeated to the callee."""
    failure_phonenumber: Annotated[str | None, Phone()] = None
    """The number to call if an alarm failed or was missed."""
    failure_e164: ClassVar = Column(meaning="`failure_phonenumber` in E.164 form.")
    region: Annotated[str | None, Region()] = None
    """The region of phone numbers without a country code. Default: the manager's."""
    voicemail_survey: Annotated[bool, Flag()] = False
    """Whether a machine hears what the survey says first instead, if there is no recording. Whoever
    listens to the machine hears it too.
    """
    require_consent: Annotated[bool, Flag()] = False
    """Whether nobody is called or written to whose `person` has no `consent`."""


def owner(context: RequestContext, values: Values) -> int:
    """Return the owner's id: the user that a superuser names, or the login."""
    name = values.get("user")
    if name is None or not context.login.is_superuser:
        return context.user_id
    return _named(name)


def _named(name: str) -> int:
    user = users.by_id_or_name(name)
    if user is None:
        raise Invalid({"user": [f"users {name} does not exist"]})
    return user.id


def create(context: RequestContext, owner_id: int, values: Values) -> CalendarSetting:
    values.pop("user", None)
    return calendar_settings.create(owner_id, values)


def change(context: RequestContext, row: CalendarSetting, values: Values) -> None:
    name = values.pop("user", None)
    if name is not None and context.login.is_superuser and _named(name) != row.owner_id:
        raise Invalid({"user": ["a setting cannot move to another manager; create a new one"]})
    calendar_settings.change(row, values)


CALENDAR_SETTING = Resource(
    name="calendar-setting",
    model=CalendarSetting,
    form=CalendarSettingForm,
    show_first=("user", "sms_gateway", "url"),
    filters={"label": CalendarSetting.label, "survey": CalendarSetting.survey},
    orders={"label": CalendarSetting.label},
    example={
        "label": "cal_setting",
        "callerid": "123456",
        "caller_name": "xyz",
        "survey": "/rest-api/sealed-survey/1/",
        "aleg_gateway": "/rest-api/gateway/1/",
        "sms_gateway": "/rest-api/sms-gateway/1/",
    },
    create=create,
    change=change,
    delete=remove_row,
    owner=owner,
)
