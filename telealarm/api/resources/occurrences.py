"""The actions on the occurrences of an event: list them, cancel one, move one."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields import json_schema
from telealarm.api.fields.base import FieldType
from telealarm.api.fields.form import Form
from telealarm.api.fields.numbers import Whole
from telealarm.api.fields.times import Moment, QueryMoment
from telealarm.api.rest.resource import Action, Values
from telealarm.errors import Invalid
from telealarm.models import Event
from telealarm.store.calendars import occurrences
from telealarm.store.calendars.occurrences import Told
from telealarm.store.engine import time_zones
from telealarm.store.feeds import ownership

LIMIT, LARGEST_LIMIT = 100, 1000
QUERY: dict[str, FieldType] = {
    "after": QueryMoment(),
    "before": QueryMoment(),
    "limit": Whole(1, LARGEST_LIMIT),
}
SHOWN = {"start": json_schema.MOMENT, "end": json_schema.MOMENT, "event": json_schema.MAYBE_LINK}


class CancelForm(Form):
    start: Annotated[datetime, Moment()]
    """The start of the occurrence in the series."""


class MoveForm(Form):
    start: Annotated[datetime, Moment()]
    """The start of the occurrence in the series."""
    to: Annotated[datetime, Moment()]
    """The new start."""


def list_them(context: RequestContext, row: Event, values: Values) -> dict[str, Any]:
    """List the occurrences from `after` to `before`. `count` is null if there is no end"""
    asked = _asked(context)
    limit = asked.get("limit", LIMIT)
    page = occurrences.page(row, asked.get("after"), asked.get("before"), limit)
    zone = str(time_zones.of_event(row))
    following = None
    if page.following is not None:
        query = {**context.query, "after": context.local(page.following, zone) or ""}
        following = f"{context.links.origin}{context.path}?{urlencode(query)}"
    return {
        "count": page.count,
        "next": following,
        "previous": None,
        "results": [_show(context, occurrence, zone) for occurrence in page.told],
    }


def cancel(context: RequestContext, row: Event, values: Values) -> dict[str, str]:
    """Cancel one occurrence, whether its event exists yet or not"""
    ownership.check_occurrences(context.actor, row, "start")
    occurrences.cancel(row, values["start"], context.now)
    return {"status": "occurrence has been cancelled"}


def move(context: RequestContext, row: Event, values: Values) -> dict[str, Any]:
    """Move one occurrence to another time, whether its event exists yet or not"""
    ownership.check_occurrences(context.actor, row, "to")
    moved = occurrences.move(row, values["start"], values["to"], context.now)
    zone = str(time_zones.of_event(row))
    return _show(context, Told(moved.start, moved.end, moved.id), zone)


def _show(context: RequestContext, occurrence: Told, zone: str) -> dict[str, Any]:
    return {
        "start": context.local(occurrence.start, zone),
        "end": context.local(occurrence.end, zone),
        "event": context.links.maybe("event", occurrence.event_id),
    }


def _asked(context: RequestContext) -> dict[str, Any]:
    """Return the parameters of the address. Raises Invalid with each mistake."""
    asked: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    for name, text in context.query.items():
        try:
            if name not in QUERY:
                raise ValueError(f"there is no such filter; the filters are: {', '.join(QUERY)}")
            asked[name] = QUERY[name].read(text)
        except ValueError as error:
            errors[name] = [str(error)]
    if errors:
        raise Invalid(errors)
    return asked


_PAGE = json_schema.page_of(SHOWN, "Occurrence")

ACTIONS = (
    Action(
        "occurrences",
        "GET",
        list_them,
        query=QUERY,
        reply={
            **_PAGE,
            "properties": {**_PAGE["properties"], "count": {"type": ["integer", "null"]}},
        },
    ),
    Action(
        "cancel_occurrence",
        "POST",
        cancel,
        CancelForm,
        reply=json_schema.DONE,
        example={"start": "2040-01-16T10:00:00+01:00"},
    ),
    Action(
        "move_occurrence",
        "POST",
        move,
        MoveForm,
        reply=json_schema.thing(SHOWN, "Occurrence"),
        example={"start": "2040-01-23T10:00:00+01:00", "to": "2040-01-24T11:00:00+01:00"},
    ),
)
