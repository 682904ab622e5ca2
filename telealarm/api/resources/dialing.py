"""dialing/: stop placing calls, and go on. For superusers."""

from typing import Annotated, Any

from telealarm.api.core.request_context import RequestContext, stamp
from telealarm.api.fields import json_schema
from telealarm.api.fields.form import Form
from telealarm.api.fields.relation import Relation
from telealarm.api.rest.tasks import Task
from telealarm.store.dialing import pauses


class PauseForm(Form):
    gateway: Annotated[int | None, Relation("gateway")] = None
    """The gateway; without it, all of them."""


def state(context: RequestContext, values: dict[str, Any]) -> dict[str, Any]:
    """Whether calls are placed, since when not, and how many wait for it"""
    since = pauses.since()
    return {
        "paused": since is not None,
        "since": stamp(since),
        "gateways": [
            {
                "url": context.links.to("gateway", one.id),
                "name": one.name,
                "since": stamp(one.paused),
            }
            for one in pauses.gateways()
        ],
        "waiting": pauses.waiting(),
    }


def pause(context: RequestContext, values: dict[str, Any]) -> dict[str, Any]:
    """Place no new call, through one gateway or at all; calls that are up go on"""
    pauses.pause(values["gateway"], context.now)
    return state(context, values)


def resume(context: RequestContext, values: dict[str, Any]) -> dict[str, Any]:
    """Place calls again, through one gateway or at all; what waits goes at once"""
    pauses.resume(values["gateway"], context.now)
    return state(context, values)


_STATE = json_schema.thing(
    {
        "paused": {"type": "boolean"},
        "since": json_schema.nullable(json_schema.MOMENT),
        "gateways": {
            "type": "array",
            "items": json_schema.thing(
                {"url": json_schema.LINK, "name": {"type": "string"}, "since": json_schema.MOMENT}
            ),
        },
        "waiting": {"type": "integer", "minimum": 0},
    }
)

TASKS = (
    Task("dialing/", "GET", state, reply=_STATE),
    Task("dialing/pause/", "POST", pause, PauseForm, reply=_STATE),
    Task("dialing/resume/", "POST", resume, PauseForm, reply=_STATE),
)
