"""The OpenAPI 3.1 document, written from the resources that the API serves."""

from collections.abc import Callable, Iterable
from typing import Any

import telealarm
from telealarm.api.core import links
from telealarm.api.fields import json_schema
from telealarm.api.fields.base import Schema
from telealarm.api.openapi import operations, probe_paths
from telealarm.api.rest import body_schemas
from telealarm.api.rest.resource import Resource
from telealarm.api.rest.tasks import Task

DESCRIPTION = """\
A calendar holds events, an event has alarms, a due alarm becomes a call with a survey.

Relations are links or bare ids, numbers are numbers or texts. A time without an offset is local:
of the event's, the calendar's or the calendar user's zone; in the filters of lists, of the
service's. Every path below answers OPTIONS, and HEAD where it answers GET; another method is 405,
with `Allow`. What is somebody else's is 404, in a relation 400, as if it did not exist.

A list is in the order of `ordering`; without it, one that is narrowed to a range of time is in the
order of that time, and any other in that of the ids. Its `count` is exact up to 10000 rows; beyond,
what was added counts at once, and what was deleted or changed may be counted as before for a minute
after the list was asked for, ten at most. `next` and `previous` always are exact.
"""

_DETAIL = json_schema.thing({"detail": {"type": "string"}})
_WRONG_FIELDS: Schema = {
    "type": "object",
    "additionalProperties": {"type": "array", "items": {"type": "string"}},
}

# What goes wrong, and the headers that say more about it.
_BAD = {
    400: ("What was sent is wrong: by field, or as a whole.", ()),
    401: ("No login, or a wrong one.", ("WWW-Authenticate",)),
    403: ("This is for superusers.", ()),
    404: ("There is no such thing.", ()),
    409: ("This is in the way of something else; `detail` says of what.", ()),
    413: ("The body is over 1 MiB.", ()),
    415: ("The body is not application/json.", ()),
    429: ("Too many wrong passwords.", ("Retry-After",)),
    503: ("The service did not get to it; it can be tried again.", ("Retry-After",)),
}


def written(resources: Iterable[Resource], tasks: Iterable[Task]) -> dict[str, Any]:
    """The document, as JSON can have it."""
    resources, tasks = list(resources), list(tasks)
    allowed = operations.allowed(("GET", "HEAD", "OPTIONS"))
    paths: operations.Paths = {links.BASE: {"description": allowed, "get": _root(resources)}}
    components: dict[str, Schema] = {"Detail": _DETAIL, "WrongFields": _WRONG_FIELDS}
    for resource in resources:
        paths.update(operations.of_resource(resource))
        components.update(operations.components(resource))
    headings: dict[str, Callable[..., Any]] = {
        resource.name: resource.answer.show if resource.answer else resource.fields
        for resource in resources
    }
    for task in tasks:
        headings.setdefault(task.path.split("/")[0], task.run)
        paths[links.BASE + task.path] = operations.of_task(task)
        if task.form.model_fields:
            components[operations.task_form(task)] = body_schemas.form(task.form, partial=False)
    paths.update(probe_paths.PATHS)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "TeleAlarm",
            "version": telealarm.__version__,
            "description": DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"basic": []}, {"bearer": []}],
        "tags": [
            *(operations.tag(name, of) for name, of in headings.items()),
            {"name": probe_paths.TAG, "description": probe_paths.__doc__},
        ],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {str(status): _bad(status) for status in _BAD},
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _root(resources: list[Resource]) -> dict[str, Any]:
    listed = {resource.name: json_schema.LINK for resource in resources if resource.listed}
    content: dict[str, Any] = {"application/json": {"schema": json_schema.thing(listed)}}
    content["text/html"] = {"schema": {"type": "string"}}
    replies: dict[str, Any] = {"200": {"description": "The resources.", "content": content}}
    for status in operations.ALWAYS:
        replies[str(status)] = {"$ref": f"#/components/responses/{status}"}
    return {
        "operationId": "resources",
        "summary": "The resources; for a browser, this explorer",
        "responses": replies,
    }


def _bad(status: int) -> dict[str, Any]:
    said, names = _BAD[status]
    schema = json_schema.ref("Detail")
    if status == 400:
        schema = {"anyOf": [schema, json_schema.ref("WrongFields")]}
    return {
        "description": said,
        "headers": {name: {"schema": {"type": "string"}} for name in names},
        "content": {"application/json": {"schema": schema}},
    }
