"""calendar-user/: whose calendars they are. A calendar user does not log in."""

from typing import Annotated, Any

from telealarm.api.forms import Form
from telealarm.api.resource import Resource, Values, change_row
from telealarm.api.texts import Secret, Text, Word
from telealarm.api.visit import Visit
from telealarm.models import CalendarUser
from telealarm.store import accounts

EMAIL = Word(254, pattern=r"([^@\s]+@[^@\s]+)?", right="must be an address like ann@example.com")


class CalendarUserForm(Form):
    username: Annotated[str, Text(150, 1)]
    password: Annotated[str | None, Secret()] = None
    last_name: Annotated[str, Text(150)] = ""
    first_name: Annotated[str, Text(150)] = ""
    email: Annotated[str, EMAIL] = ""


def show(visit: Visit, row: Any) -> dict[str, Any]:
    return {
        "url": visit.links.to("calendar-user", row.id),
        "username": row.username,
        "last_name": row.last_name,
        "first_name": row.first_name,
        "email": row.email,
        "groups": [],
    }


def create(visit: Visit, owner_id: int, values: Values) -> CalendarUser:
    return accounts.add_calendar_user(owner_id, values)


def delete(visit: Visit, row: Any) -> None:
    accounts.remove_calendar_user(row, visit.now)


CALENDAR_USER = Resource(
    name="calendar-user",
    model=CalendarUser,
    show=show,
    form=CalendarUserForm,
    read_only=frozenset({"url", "groups"}),
    filters={"username": CalendarUser.username, "email": CalendarUser.email},
    orders={"username": CalendarUser.username},
    shapes={"groups": {"type": "array", "maxItems": 0}},
    example={"username": "caluser3", "password": "caluser3", "email": "caluser3@gmail.com"},
    create=create,
    change=change_row,
    delete=delete,
)
