"""The OpenAPI 3.1 document, made from the resources that the API serves."""

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
A calendar holds events. An event has alarms. A due alarm becomes a call with a survey.

A relation is a link or a bare id. A number may be sent as a number or as a text. A time without an
offset is local: in the zone of the event, the calendar or the calendar user. In the filters of
lists it is in the zone of the service. Every path below answers OPTIONS. It answers HEAD if it
answers GET. Any other method gets 405 with `Allow`. A row of another user does not exist for you:
the answer is 404, or 400 if a relation names the row.

A list is in the order of `ordering`. Without it, a list with a time filter is in the order of that
time, and every other list is in the order of the ids. `count` is exact up to 10000 rows. Beyond
that, new rows count at once. Deleted or changed rows may still be counted for a minute after the
list was requested, ten minutes at most. `next` and `previous` are always exact.
"""

_DETAIL = json_schema.thing({"detail": {"type": "string"}})
_WRONG_FIELDS: Schema = {
    "type": "object",
    "additionalProperties": {"type": "array", "items": {"type": "string"}},
}

# The description of each error, and its headers.
_BAD = {
    400: ("The request is wrong: errors by field, or one `detail`.", ()),
    401: ("The login is missing or wrong.", ("WWW-Authenticate",)),
    403: ("Only superusers may do this.", ()),
    404: ("It does not exist.", ()),
    409: ("This conflicts with something else. `detail` says with what.", ()),
    413: ("The body is over 1 MiB.", ()),
    415: ("The body is not application/json.", ()),
    429: ("Too many wrong passwords.", ("Retry-After",)),
    503: ("The service could not do it now. Try again later.", ("Retry-After",)),
}


def written(resources: Iterable[Resource], tasks: Iterable[Task]) -> dict[str, Any]:
    """Return the document as a JSON object."""
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
        "summary": "List the resources. A browser gets this explorer",
        "responses": replies,
    }


def _bad(status: int) -> dict[str, Any]:
    description, names = _BAD[status]
    schema = json_schema.ref("Detail")
    if status == 400:
        schema = {"anyOf": [schema, json_schema.ref("WrongFields")]}
    return {
        "description": description,
        "headers": {name: {"schema": {"type": "string"}} for name in names},
        "content": {"application/json": {"schema": schema}},
    }
