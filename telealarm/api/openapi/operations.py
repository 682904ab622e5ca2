"""The operations of a resource in the OpenAPI document."""

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from telealarm.api.core import links
from telealarm.api.fields import json_schema
from telealarm.api.fields.base import FieldType, Schema
from telealarm.api.openapi import error_replies
from telealarm.api.rest import body_schemas, filters, lists, search
from telealarm.api.rest.csv import LARGEST_SHEET
from telealarm.api.rest.idempotency import HEADER, LONGEST_KEY, REPLAYED
from telealarm.api.rest.resource import Action, Resource
from telealarm.api.rest.tasks import Task

Paths = dict[str, dict[str, Any]]

# Every request can get these: no login, too many wrong logins, no database or no time.
ALWAYS = (401, 429, 503)
BODY = (400, 413, 415)

# CSV is no second media type of the reply: in typed clients, each page would be a page or a text.
_LIST = f"""\
Returns the rows that your login may see, a page at a time. `next` is the link to the next page. It
is null on the last page. With `format=csv` in the address, the reply is a spreadsheet (text/csv) of
{LARGEST_SHEET} rows, or fewer if `page_size` says so.
"""
_CREATE = """\
Creates a row and returns it. Its link is in `Location` too. A field that is left out gets its
default.
"""
_READ = "Returns the row with this id."
_PUT = """\
Sets every field of the row and returns it. A field that is left out gets its default. You may send
back what a GET returned: read-only fields stay as they are.
"""
_PATCH = "Sets the fields that are sent, and returns the row. The others stay as they are."
_DELETE = "Deletes the row with this id. The reply has no body."


def tag(name: str, of: Callable[..., Any]) -> dict[str, str]:
    """Return a heading of the explorer. Its text is the docstring of the module of `of`."""
    about = sys.modules[of.__module__].__doc__ or ""
    return {"name": name, "description": about.strip()}


def of_resource(resource: Resource) -> Paths:
    """Return the paths of a resource: its list, its rows, its actions."""
    base = f"{links.BASE}{resource.name}/"
    paths: Paths = {}
    if resource.listed:
        paths[base] = {"description": allowed(resource.methods), "get": _list(resource)}
        if resource.create:
            paths[base]["post"] = _create(resource)
    row: dict[str, Any] = {
        "description": allowed(resource.row_methods),
        "parameters": [_id(resource.name)],
        "get": _read(resource),
    }
    if resource.change:
        if resource.put:
            row["put"] = _change(resource, "replace", "Put")
        row["patch"] = _change(resource, "change", "Patch")
    if resource.delete:
        row["delete"] = _delete(resource)
    paths[base + "{id}/"] = row
    for action in resource.actions:
        paths[f"{base}{{id}}/{action.name}/"] = _action(resource, action)
    return paths


def of_task(task: Task) -> dict[str, Any]:
    """Return the path of a task."""
    names = task.path.strip("/").replace("/", "_")
    summary, about = told(task.run)
    statuses = {403} if task.superusers_only else set()
    if task.method == "POST":
        statuses |= {*BODY, 409}
    if task.query:
        statuses |= {400, 404}
    operation: dict[str, Any] = {
        "operationId": names,
        "tags": [task.path.split("/")[0]],
        "summary": summary,
        "description": about,
        "responses": _replies(summary, {200: _json(task.reply)}, statuses),
    }
    if task.query:
        operation["parameters"] = [
            _parameter(name, field_type) for name, field_type in task.query.items()
        ]
    if task.method == "POST":
        operation["requestBody"] = _body(task_form(task), task.example)
        operation = _keyed(operation)
    return {"description": allowed(task.methods), task.method.lower(): operation}


def task_form(task: Task) -> str:
    """Return the name of a task's form in the document's components, like `DialingPause`."""
    return task.path.title().replace("/", "")


def components(resource: Resource) -> dict[str, Schema]:
    """Return the schemas that the operations of a resource refer to."""
    name = body_schemas.title(resource)
    reply = body_schemas.reply(resource)
    schemas = {name: {**reply, "properties": {**reply["properties"], **resource.once_shown}}}
    if resource.form and resource.create:
        schemas[f"{name}New"] = body_schemas.form(
            resource.form, partial=False, new=True, model=resource.model
        )
    if resource.form and resource.change:
        for ending, partial in (("Put", False), ("Patch", True)):
            if partial or resource.put:
                schemas[name + ending] = body_schemas.form(
                    resource.form, partial=partial, model=resource.model
                )
    for action in resource.actions:
        if action.form:
            schemas[_form_name(resource, action)] = body_schemas.form(action.form, partial=False)
    return schemas


def _list(resource: Resource) -> dict[str, Any]:
    name = body_schemas.title(resource)
    orders = json_schema.words(filters.order_words(resource.orders), f"{name}Ordering")
    searched = [_parameter(search.NAME, search.SEARCH)] if resource.searched else []
    parameters = [
        *(_parameter(name, field_type) for name, field_type in lists.PAGING.items()),
        *searched,
        {
            **_query("ordering", orders),
            "description": "The order of the list. `-` means descending. Without it: by id,"
            " or by the time that a filter limits.",
        },
        *(
            _parameter(name, filters.kind_of(column))
            for name, column, _ in filters.choices(resource.filters)
        ),
    ]
    page = _json({"title": f"{name}Page", **json_schema.page_of(name)})
    return _operation(
        resource, "list", "A page of the list", {200: page}, (400, 404), about=_LIST
    ) | {"parameters": parameters}


def _create(resource: Resource) -> dict[str, Any]:
    name = body_schemas.title(resource)
    sent = _body(f"{name}New", resource.example, _media(resource))
    created = {201: _json(json_schema.ref(name))}
    operation = _operation(resource, "create", "Create one", created, (*BODY, 409), about=_CREATE)
    return _keyed(operation | {"requestBody": sent})


def _read(resource: Resource) -> dict[str, Any]:
    shown = {200: _json(json_schema.ref(body_schemas.title(resource)))}
    return _operation(resource, "read", "Show one", shown, (404,), about=_READ)


def _change(resource: Resource, verb: str, ending: str) -> dict[str, Any]:
    name = body_schemas.title(resource)
    shown = {200: _json(json_schema.ref(name))}
    summary = f"{verb.capitalize()} one"
    about = _PUT if ending == "Put" else _PATCH
    operation = _operation(resource, verb, summary, shown, (*BODY, 404, 409), about=about)
    return operation | {"requestBody": _body(name + ending, resource.example, _media(resource))}


def _delete(resource: Resource) -> dict[str, Any]:
    summary = "Delete one"
    return _operation(resource, "delete", summary, {204: {}}, (404, 409), about=_DELETE)


def _action(resource: Resource, action: Action) -> dict[str, Any]:
    of = next((name for name, model in links.MODELS.items() if model is action.of), resource.name)
    what, about = told(action.run)
    statuses: tuple[int, ...] = (400, 404)
    if action.method != "GET":
        statuses = (*BODY, 404, 409)
    schema = action.reply or {"type": "string", "format": "binary"}
    reply: dict[int, Schema] = {action.status: {action.media: {"schema": schema}}}
    name = action.operation or action.name
    operation = _operation(resource, name, what, reply, statuses, about=about, free=True)
    if action.query:
        operation["parameters"] = [
            _parameter(name, field_type) for name, field_type in action.query.items()
        ]
    if action.form:
        operation["requestBody"] = _body(_form_name(resource, action), action.example)
    if action.method == "POST":
        operation = _keyed(operation)
    return {
        "description": allowed(action.methods),
        "parameters": [_id(of)],
        action.method.lower(): operation,
    }


def _operation(
    resource: Resource,
    verb: str,
    summary: str,
    good: Mapping[int, Schema],
    bad: Iterable[int],
    *,
    about: str,
    free: bool = False,
) -> dict[str, Any]:
    writes = verb not in ("list", "read")
    guarded = resource.superusers == "everything" or (resource.superusers == "writes" and writes)
    return {
        "operationId": f"{resource.name}_{verb}".replace("-", "_"),
        "tags": [resource.name],
        "summary": summary,
        "description": about,
        "responses": _replies(summary, good, {*bad, *([403] if guarded and not free else [])}),
    }


def _replies(summary: str, good: Mapping[int, Schema], bad: Iterable[int]) -> dict[str, Any]:
    replies: dict[str, Any] = {}
    for status, content in good.items():
        replies[str(status)] = {"description": summary, "headers": _headers(status)}
        if content:
            replies[str(status)]["content"] = content
    for status in sorted({*bad, *ALWAYS}):
        replies[str(status)] = error_replies.ref(status)
    return replies


def _keyed(operation: dict[str, Any]) -> dict[str, Any]:
    """Return the operation of a POST with the header of its key.

    A repeated POST with the same key gets the first answer. It is not carried out again.
    """
    key = {
        "name": HEADER,
        "in": "header",
        "description": "Makes it safe to repeat this request: the first answer comes again.",
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": LONGEST_KEY,
            "pattern": "^[!-~]+$",
        },
    }
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            answer["headers"][REPLAYED] = {
                "description": "Present if this is a repeated first answer.",
                "schema": {"type": "string"},
            }
    return {**operation, "parameters": [*operation.get("parameters", ()), key]}


def allowed(methods: Iterable[str]) -> str:
    """Return the sentence about the methods of a path."""
    return f"The methods are {', '.join(methods)}. Any other gets 405, with these in `Allow`."


def told(run: Callable[..., Any]) -> tuple[str, str]:
    """Return the summary and the description of what a function does, from its docstring.

    Its first line is the summary. Without more lines, it is the description too. Raises TypeError
    if it has none.
    """
    summary, _, rest = inspect.cleandoc(run.__doc__ or "").partition("\n")
    if not summary:
        raise TypeError(f"{run.__module__}.{run.__name__}: write a docstring, for the document")
    return summary, rest.strip() or f"{summary.rstrip('.')}."


def _headers(status: int) -> dict[str, Any]:
    headers: dict[str, Any] = {
        "Allow": {"description": "The methods of this path.", "schema": {"type": "string"}}
    }
    if status == 201:
        headers["Location"] = {
            "description": "The link to the new row.",
            "schema": json_schema.LINK,
        }
    return headers


def _media(resource: Resource) -> str:
    """Return the media type of a body. A recording is sent as a form."""
    return "multipart/form-data" if resource.upload else "application/json"


def _body(
    name: str, example: Mapping[str, Any] | None, media: str = "application/json"
) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": json_schema.ref(name)}
    if example:
        content["example"] = dict(example)
    return {"required": True, "content": {media: content}}


def _json(schema: Schema) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _form_name(resource: Resource, action: Action) -> str:
    return body_schemas.title(resource) + (action.operation or action.name).title().replace("_", "")


def _parameter(name: str, field_type: FieldType) -> dict[str, Any]:
    # An explorer fills in each example: a list would be narrowed by every filter at once.
    schema = {key: value for key, value in field_type.schema().items() if key != "examples"}
    return _query(name, schema)


def _query(name: str, schema: Schema) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema}


def _id(of: str) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": 1, "maximum": links.LARGEST_ID}
    return {
        "name": "id",
        "in": "path",
        "required": True,
        "description": f"The id of the {of}.",
        "x-relation": of,
        "schema": schema,
    }
