"""dialing/: pause and resume dialing. Only for superusers."""

from typing import Annotated, Any

from telealarm.api.core.request_context import RequestContext, stamp
from telealarm.api.fields import json_schema
from telealarm.api.fields.form import Form
from telealarm.api.fields.relation import Relation
from telealarm.api.rest.tasks import Task
from telealarm.store.dialing import pauses


class PauseForm(Form):
    gateway: Annotated[int | None, Relation("gateway")] = None
    """The gateway to pause or resume. Default: all gateways."""


def state(context: RequestContext, values: dict[str, Any]) -> dict[str, Any]:
    """Show whether dialing is paused, since when, and how many calls wait"""
    since = pauses.since()
    return {
        "paused": since is not None,
        "since": stamp(since),
        "gateways": [
            {
                "url": context.links.to("gateway", gateway.id),
                "name": gateway.name,
                "since": stamp(gateway.paused),
            }
            for gateway in pauses.gateways()
        ],
        "waiting": pauses.waiting(),
    }


def pause(context: RequestContext, values: dict[str, Any]) -> dict[str, Any]:
    """Place no new calls, through one gateway or through any. Live calls continue"""
    pauses.pause(values["gateway"], context.now)
    return state(context, values)


def resume(context: RequestContext, values: dict[str, Any]) -> dict[str, Any]:
    """Place calls again, through one gateway or through all. Waiting calls start at once"""
    pauses.resume(values["gateway"], context.now)
    return state(context, values)


_STATE = json_schema.thing(
    {
        "paused": {"type": "boolean"},
        "since": json_schema.nullable(json_schema.MOMENT),
        "gateways": {
            "type": "array",
            "items": json_schema.thing(
                {"url": json_schema.LINK, "name": {"type": "string"}, "since": json_schema.MOMENT},
                "PausedGateway",
            ),
        },
        "waiting": {"type": "integer", "minimum": 0},
    },
    "DialingState",
)

_ONE = {"gateway": "/rest-api/gateway/1/"}

TASKS = (
    Task("dialing/", "GET", state, reply=_STATE),
    Task("dialing/pause/", "POST", pause, PauseForm, reply=_STATE, example=_ONE),
    Task("dialing/resume/", "POST", resume, PauseForm, reply=_STATE, example=_ONE),
)
