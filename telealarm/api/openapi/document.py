"""The OpenAPI 3.1 document, made from the resources that the API serves."""

import copy
from collections.abc import Callable, Iterable
from typing import Any

import telealarm
from telealarm.api.core import links
from telealarm.api.fields import json_schema
from telealarm.api.openapi import error_replies, naming, operations, probe_paths
from telealarm.api.rest import body_schemas
from telealarm.api.rest.resource import Resource
from telealarm.api.rest.tasks import Task

METHODS = {"get", "post", "put", "patch", "delete"}

DESCRIPTION = """\
A calendar holds events. An event has alarms. A due alarm becomes a call with a survey.

A relation is a link or a bare id. A number may be sent as a number or as a text. A time without an
offset is local: in the zone of the event, the calendar or the calendar user. In the filters of
lists it is in the zone of the service. Every path below answers OPTIONS. It answers HEAD if it
answers GET. Any other method gets 405 with `Allow`. A row of another user does not exist for you:
the answer is 404, or 400 if a relation names the row.

A list is in the order of `ordering`. Without it, a list with a time filter is in the order of that
time, and every other list is in the order of the ids. `count` is exact up to 10000 rows. A
longer list is counted behind its first request, which says 10001. After that, some hundred new rows
count at once. Deleted or changed rows may still be counted until the list was requested a minute
later. `next` and `previous` are always exact.
"""

# The heading of the call that leads to all others.
ROOT = "resources"


def written(resources: Iterable[Resource], tasks: Iterable[Task]) -> dict[str, Any]:
    """Return the document as a JSON object."""
    resources, tasks = list(resources), list(tasks)
    allowed = operations.allowed(("GET", "HEAD", "OPTIONS"))
    paths: operations.Paths = {links.BASE: {"description": allowed, "get": _root(resources)}}
    components = naming.Components()
    components.add(error_replies.SCHEMAS)
    for resource in resources:
        paths.update(operations.of_resource(resource))
        components.add(operations.components(resource))
    headings: dict[str, Callable[..., Any]] = {
        resource.name: resource.answer.show if resource.answer else resource.fields
        for resource in resources
    }
    for task in tasks:
        headings.setdefault(task.path.split("/")[0], task.run)
        paths[links.BASE + task.path] = operations.of_task(task)
        if task.form.model_fields:
            form = body_schemas.form(task.form, partial=False)
            components.add({operations.task_form(task): form})
    paths.update(copy.deepcopy(probe_paths.PATHS))
    for item in paths.values():
        for method in METHODS & item.keys():
            naming.operation(components, item[method])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "TeleAlarm",
            "version": telealarm.__version__,
            "description": DESCRIPTION,
            "contact": {"name": "TeleAlarm"},
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"basic": []}, {"bearer": []}],
        "tags": [
            {"name": ROOT, "description": "The links to all lists."},
            *(operations.tag(name, of) for name, of in headings.items()),
            {"name": probe_paths.TAG, "description": probe_paths.__doc__},
        ],
        "paths": paths,
        "components": {
            "schemas": components.schemas,
            "responses": error_replies.components(),
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _root(resources: list[Resource]) -> dict[str, Any]:
    listed = {resource.name: json_schema.LINK for resource in resources if resource.listed}
    content: dict[str, Any] = {"application/json": {"schema": json_schema.thing(listed)}}
    replies: dict[str, Any] = {"200": {"description": "The resources.", "content": content}}
    for status in operations.ALWAYS:
        replies[str(status)] = error_replies.ref(status)
    return {
        "operationId": "resources",
        "tags": [ROOT],
        "summary": "List the resources. A browser gets the explorer",
        "description": "Returns the link to the list of each resource, by its name.",
        "responses": replies,
    }
