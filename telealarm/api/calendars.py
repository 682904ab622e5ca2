"""calendar/: what holds the events of a calendar user."""

from typing import Annotated, Any

from telealarm.api.fields import Relation
from telealarm.api.forms import Form
from telealarm.api.numbers import Whole
from telealarm.api.resource import Resource, Values, insert_into
from telealarm.api.texts import Text, Zone
from telealarm.api.visit import Visit, stamp
from telealarm.models import Calendar
from telealarm.store import clocks, events, permissions


class CalendarForm(Form):
    name: Annotated[str, Text(200, 1)]
    user: Annotated[int, Relation("calendar-user")]
    max_concurrent: Annotated[int, Whole(0)] = 0
    timezone: Annotated[str | None, Zone()] = None


def show(visit: Visit, row: Any) -> dict[str, Any]:
    return {
        "url": visit.links.to("calendar", row.id),
        "name": row.name,
        "user": visit.links.to("calendar-user", row.user_id),
        "max_concurrent": row.max_concurrent,
        "created_date": stamp(row.created_date),
        "timezone": row.timezone,
    }


def change(visit: Visit, row: Any, values: Values) -> None:
    user = values.get("user", row.user)
    if user.id != row.user_id:
        permissions.check_handed_over(row, user)
    clocks.change_calendar(row, values, visit.now)


def delete(visit: Visit, row: Any) -> None:
    events.delete_calendar(row, visit.now)


CALENDAR = Resource(
    name="calendar",
    model=Calendar,
    show=show,
    form=CalendarForm,
    read_only=frozenset({"url", "created_date"}),
    filters={"name": Calendar.name, "user": Calendar.user},
    orders={"name": Calendar.name},
    create=insert_into(Calendar),
    change=change,
    delete=delete,
    parent="user",
    example={
        "name": "mynewcalendar",
        "max_concurrent": "1",
        "user": "http://127.0.0.1:8000/rest-api/calendar-user/6/",
    },
)
