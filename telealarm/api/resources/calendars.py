"""calendar/: a calendar holds the events of a calendar user."""

from typing import Annotated, ClassVar

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields.form import Form
from telealarm.api.fields.numbers import Whole
from telealarm.api.fields.relation import Relation
from telealarm.api.fields.reply import CREATED, SelfLink
from telealarm.api.fields.texts import Text, Zone
from telealarm.api.rest.resource import Resource, Values, insert_into
from telealarm.models import Calendar
from telealarm.store.alarms import permissions
from telealarm.store.calendars import calendars, events
from telealarm.store.feeds import feeds


class CalendarForm(Form):
    url: ClassVar = SelfLink("calendar")
    name: Annotated[str, Text(200, 1)]
    """The name of the calendar in lists."""
    user: Annotated[int, Relation("calendar-user")]
    """The calendar user who has the calendar."""
    max_concurrent: Annotated[int, Whole(0)] = 0
    """How many calls of the calendar may run at once. 0: no limit."""
    created_date: ClassVar = CREATED
    timezone: Annotated[str | None, Zone()] = None
    """The time zone of events that have none. Default: the calendar user's."""
    reminder_plan: Annotated[int | None, Relation("reminder-plan")] = None
    """The plan that makes the alarms of the calendar's events."""


def change(context: RequestContext, row: Calendar, values: Values) -> None:
    user = values.get("user", row.user)
    if user.id != row.user_id:
        permissions.check_handed_over(row, user)
    plan = row.reminder_plan_id
    calendars.change_calendar(row, values, context.now)
    if row.reminder_plan_id != plan:
        feeds.read_anew(row, context.now)


def delete(context: RequestContext, row: Calendar) -> None:
    events.delete_calendar(row, context.now)


CALENDAR = Resource(
    name="calendar",
    model=Calendar,
    form=CalendarForm,
    filters={"name": Calendar.name, "user": Calendar.user},
    orders={"name": Calendar.name},
    create=insert_into(Calendar),
    change=change,
    delete=delete,
    parent="user",
    example={
        "name": "mynewcalendar",
        "max_concurrent": 1,
        "user": "/rest-api/calendar-user/1/",
    },
)
