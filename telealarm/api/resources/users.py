"""users/: the logins. Only for superusers."""

from typing import Annotated, ClassVar

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields.form import Form
from telealarm.api.fields.numbers import Flag, Instruction, Whole
from telealarm.api.fields.reply import Column, SelfLink
from telealarm.api.fields.texts import Region, Secret, Word, Zone
from telealarm.api.rest.resource import Resource, Values
from telealarm.models import Alarm, User
from telealarm.store.access import users
from telealarm.store.access.passwords import SHORTEST
from telealarm.store.alarms import attempts
from telealarm.store.engine import crud


class UserForm(Form):
    url: ClassVar = SelfLink("users")
    id: ClassVar = Column(meaning="The number in the link.")
    username: Annotated[
        str,
        Word(150, 1, pattern=r"[\w.@+-]+", right="may only hold letters, digits and . @ + - _"),
    ]
    """The name to log in with."""
    password: Annotated[str | None, Secret(min_length=SHORTEST)] = None
    """The password to log in with. A new one ends all tokens of the login."""
    keep_tokens: Annotated[bool, Instruction()] = False
    """Whether the tokens stay valid when the password changes."""
    is_superuser: Annotated[bool, Flag()] = False
    """Whether the login sees everything and may write gateways and logins."""
    is_active: Annotated[bool, Flag()] = True
    """Whether the login may log in."""
    region: Annotated[str | None, Region()] = None
    """The region of a manager's phone numbers without a country code. Default: the
    configuration's.
    """
    timezone: Annotated[str | None, Zone()] = None
    """The time zone in which a day of the limits begins. Default: the configuration's."""
    max_calls_per_day: Annotated[int | None, Whole(0)] = None
    """How many calls of a manager may be due on one day. Default: the configuration's.
    Superusers have no limits.
    """
    max_alarms_waiting: Annotated[int | None, Whole(0)] = None
    """How many alarms of a manager may wait. Default: the configuration's."""
    max_trial_calls_per_day: Annotated[int | None, Whole(0)] = None
    """How many trial calls a manager may make on one day. Default: the configuration's."""
    max_audio_megabytes: Annotated[int | None, Whole(0)] = None
    """The size of a manager's uploaded recordings and recorded messages together. Default: the
    configuration's.
    """
    min_series_minutes: Annotated[int | None, Whole(0)] = None
    """How many minutes lie between two alarms of one series at least. Default: the
    configuration's.
    """
    max_contacts_per_day: Annotated[int | None, Whole(1)] = None
    """How often each recipient of a manager may be contacted within 24 hours. Default: the
    configuration's.
    """
    max_contacts_per_week: Annotated[int | None, Whole(1)] = None
    """How often each recipient of a manager may be contacted within seven days. Default: the
    configuration's.
    """
    min_contact_minutes: Annotated[int | None, Whole(1)] = None
    """How many minutes lie between two contacts of a recipient at least, from the end of a call.
    Default: the configuration's.
    """
    created_date: ClassVar = Column("created", meaning="When the row was written.")


def create(context: RequestContext, owner_id: int, values: Values) -> User:
    values.pop("keep_tokens", None)
    return crud.insert(User, values)


def change(context: RequestContext, row: User, values: Values) -> None:
    keep_tokens = values.pop("keep_tokens", False)
    users.change_user(context.login, row, values, context.now, keep_tokens=keep_tokens)
    if values.keys() & {"max_contacts_per_day", "max_contacts_per_week", "min_contact_minutes"}:
        attempts.reconsider(Alarm.select(Alarm.id).where(Alarm.owner == row.id))


def delete(context: RequestContext, row: User) -> None:
    users.remove_user(context.login, row)


USERS = Resource(
    name="users",
    model=User,
    form=UserForm,
    filters={"username": User.username},
    create=create,
    change=change,
    delete=delete,
    superusers="everything",
    example={"username": "reception", "password": "a long pass phrase"},
)
