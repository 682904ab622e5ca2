"""calendar-user/: the persons who have calendars. A calendar user cannot log in."""

from typing import Annotated, ClassVar

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields.form import Form
from telealarm.api.fields.reply import Computed, SelfLink
from telealarm.api.fields.texts import Secret, Text, Word
from telealarm.api.rest.resource import Resource, Values, change_row
from telealarm.models import CalendarUser
from telealarm.store.access import users

EMAIL = Word(254, pattern=r"([^@\s]+@[^@\s]+)?", right="must be an address like ann@example.com")


_NO_GROUPS = {"type": "array", "maxItems": 0, "items": {"type": "string"}}


class CalendarUserForm(Form):
    url: ClassVar = SelfLink("calendar-user")
    username: Annotated[str, Text(150, 1)]
    """The name of the calendar user. It is not a login name."""
    password: Annotated[str | None, Secret()] = None
    """Kept for the predecessor's clients. Nobody can log in with it."""
    last_name: Annotated[str, Text(150)] = ""
    """The placeholder `{last_name}`."""
    first_name: Annotated[str, Text(150)] = ""
    """The placeholder `{first_name}`."""
    email: Annotated[str, EMAIL] = ""
    """The mail address of the calendar user."""
    groups: ClassVar = Computed(lambda context, row: [], _NO_GROUPS)


def create(context: RequestContext, owner_id: int, values: Values) -> CalendarUser:
    return users.add_calendar_user(owner_id, values)


def delete(context: RequestContext, row: CalendarUser) -> None:
    users.remove_calendar_user(row, context.now)


CALENDAR_USER = Resource(
    name="calendar-user",
    model=CalendarUser,
    form=CalendarUserForm,
    filters={"username": CalendarUser.username, "email": CalendarUser.email},
    orders={"username": CalendarUser.username},
    example={"username": "caluser3", "password": "caluser3", "email": "caluser3@gmail.com"},
    create=create,
    change=change_row,
    delete=delete,
)
