"""The operations of a resource, as the document says them."""

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from telealarm.api.core import links
from telealarm.api.fields import json_schema
from telealarm.api.fields.base import FieldType, Schema
from telealarm.api.fields.numbers import Whole
from telealarm.api.fields.relation import Relation
from telealarm.api.fields.texts import Text
from telealarm.api.rest import body_schemas, filters, lists
from telealarm.api.rest.csv import LARGEST_SHEET
from telealarm.api.rest.idempotency import HEADER, LONGEST_KEY, REPLAYED
from telealarm.api.rest.resource import Action, Resource
from telealarm.api.rest.tasks import Task

Paths = dict[str, dict[str, Any]]

# Whatever is asked: no login, too many wrong ones, and no database or no time.
ALWAYS = (401, 429, 503)
BODY = (400, 413, 415)


def tag(name: str, of: Callable[..., Any]) -> dict[str, str]:
    """A heading of the explorer; the module of the class or function `of` says what it is about."""
    said = sys.modules[of.__module__].__doc__ or ""
    return {"name": name, "description": said.strip()}


def of_resource(resource: Resource) -> Paths:
    """The paths of a resource: its list, its rows, its actions."""
    base = f"{links.BASE}{resource.name}/"
    found: Paths = {}
    if resource.listed:
        found[base] = {"description": allowed(resource.methods), "get": _list(resource)}
        if resource.create:
            found[base]["post"] = _create(resource)
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
    found[base + "{id}/"] = row
    for action in resource.actions:
        found[f"{base}{{id}}/{action.name}/"] = _action(resource, action)
    return found


def of_task(task: Task) -> dict[str, Any]:
    """The path of a task."""
    names = task.path.strip("/").replace("/", "_")
    summary = _summary(task.run)
    statuses = {403} if task.superusers_only else set()
    if task.method == "POST":
        statuses |= {*BODY, 409}
    if task.query:
        statuses |= {400, 404}
    operation: dict[str, Any] = {
        "operationId": names,
        "tags": [task.path.split("/")[0]],
        "summary": summary,
        "responses": _replies(summary, {200: _json(task.reply)}, statuses),
    }
    if task.query:
        operation["parameters"] = [_parameter(name, kind) for name, kind in task.query.items()]
    if task.method == "POST":
        operation["requestBody"] = _body(task_form(task), None)
        operation = _keyed(operation)
    return {"description": allowed(task.methods), task.method.lower(): operation}


def task_form(task: Task) -> str:
    """The name of what a task takes among the document's components: `DialingPause`."""
    return task.path.title().replace("/", "")


def components(resource: Resource) -> dict[str, Schema]:
    """The schemas that the operations of a resource refer to."""
    name = body_schemas.title(resource)
    found = {name: body_schemas.reply(resource)}
    if resource.form and resource.create:
        found[f"{name}New"] = body_schemas.form(
            resource.form, partial=False, new=True, read_only=resource.read_only
        )
    if resource.form and resource.change:
        for ending, partial in (("Put", False), ("Patch", True)):
            if partial or resource.put:
                found[name + ending] = body_schemas.form(
                    resource.form, partial=partial, read_only=resource.read_only
                )
    for action in resource.actions:
        if action.form:
            found[_form_name(resource, action)] = body_schemas.form(action.form, partial=False)
    return found


def _list(resource: Resource) -> dict[str, Any]:
    parameters = [
        *(_parameter(name, kind) for name, kind in lists.PAGING.items()),
        {
            **_query("ordering", {"enum": filters.order_words(resource.orders)}),
            "description": "By what the list is ordered; `-` is downwards. Without it: by the id,"
            " or by the time whose range is asked for.",
        },
        {
            **_query("format", {"enum": ["json", "csv"]}),
            "description": f"csv: for a spreadsheet, {LARGEST_SHEET} rows where page_size does not"
            " say less.",
        },
        *(
            _parameter(name, filters.kind_of(column))
            for name, column, _ in filters.choices(resource.filters)
        ),
    ]
    page = _json(json_schema.page_of(body_schemas.title(resource)))
    page["text/csv"] = {"schema": {"type": "string"}}
    return _operation(resource, "list", "A page of the list", {200: page}, (400, 404)) | {
        "parameters": parameters
    }


def _create(resource: Resource) -> dict[str, Any]:
    name = body_schemas.title(resource)
    sent = _body(f"{name}New", resource.example, _media(resource))
    made = {201: _json(json_schema.ref(name))}
    operation = _operation(resource, "create", "Create a new one", made, (*BODY, 409))
    return _keyed(operation | {"requestBody": sent})


def _read(resource: Resource) -> dict[str, Any]:
    shown = {200: _json(json_schema.ref(body_schemas.title(resource)))}
    return _operation(resource, "read", "Show one", shown, (404,))


def _change(resource: Resource, verb: str, ending: str) -> dict[str, Any]:
    name = body_schemas.title(resource)
    shown = {200: _json(json_schema.ref(name))}
    said = f"{verb.capitalize()} one"
    operation = _operation(resource, verb, said, shown, (*BODY, 404, 409))
    example = resource.example if ending == "Put" or resource.create is None else None
    return operation | {"requestBody": _body(name + ending, example, _media(resource))}


def _delete(resource: Resource) -> dict[str, Any]:
    said = "Delete one"
    return _operation(resource, "delete", said, {204: {}}, (404, 409))


def _action(resource: Resource, action: Action) -> dict[str, Any]:
    of = next((name for name, model in links.MODELS.items() if model is action.of), resource.name)
    what = _summary(action.run, action.name)
    statuses: tuple[int, ...] = (400, 404)
    if action.method != "GET":
        statuses = (*BODY, 404, 409)
    made: dict[int, Schema] = {action.status: {action.media: {"schema": action.reply}}}
    operation = _operation(resource, action.name, what, made, statuses, free=True)
    if action.query:
        operation["parameters"] = [_parameter(name, kind) for name, kind in action.query.items()]
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
    free: bool = False,
) -> dict[str, Any]:
    writes = verb not in ("list", "read")
    guarded = resource.superusers == "everything" or (resource.superusers == "writes" and writes)
    return {
        "operationId": f"{resource.name}_{verb}".replace("-", "_"),
        "tags": [resource.name],
        "summary": summary,
        "responses": _replies(summary, good, {*bad, *([403] if guarded and not free else [])}),
    }


def _replies(summary: str, good: Mapping[int, Schema], bad: Iterable[int]) -> dict[str, Any]:
    replies: dict[str, Any] = {}
    for status, content in good.items():
        replies[str(status)] = {"description": summary, "headers": _headers(status)}
        if content:
            replies[str(status)]["content"] = content
    for status in sorted({*bad, *ALWAYS}):
        replies[str(status)] = {"$ref": f"#/components/responses/{status}"}
    return replies


def _keyed(operation: dict[str, Any]) -> dict[str, Any]:
    """A POST: sent again with the same key, it is answered again and not carried out again."""
    key = {
        "name": HEADER,
        "in": "header",
        "description": "Makes it safe to send this again: the first answer comes again.",
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
                "description": "Only where this is the first answer once more.",
                "schema": {"const": "true"},
            }
    return {**operation, "parameters": [*operation.get("parameters", ()), key]}


def allowed(methods: Iterable[str]) -> str:
    """The line of a path about its methods."""
    return f"Any method but {', '.join(methods)} is answered with 405 and these in `Allow`."


def _summary(run: Callable[..., Any], otherwise: str = "") -> str:
    return (run.__doc__ or otherwise.replace("_", " ")).strip().split("\n")[0]


def _headers(status: int) -> dict[str, Any]:
    headers: dict[str, Any] = {
        "Allow": {"description": "The methods of this path.", "schema": {"type": "string"}}
    }
    if status == 201:
        headers["Location"] = {"description": "The link to it.", "schema": json_schema.LINK}
    return headers


def _media(resource: Resource) -> str:
    """How a body is sent: a recording comes as a form."""
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
    return body_schemas.title(resource) + action.name.title().replace("_", "")


def _parameter(name: str, kind: FieldType) -> dict[str, Any]:
    schema = kind.schema()
    if isinstance(kind, Whole):
        schema = kind.shown()
    elif isinstance(kind, Text):
        schema = next(one for one in schema["anyOf"] if one.get("type") == "string")
    elif isinstance(kind, Relation):
        schema = {**schema, "examples": [1]}
    return _query(name, schema)


def _query(name: str, schema: Schema) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema}


def _id(of: str) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": 1, "maximum": links.LARGEST_ID}
    return {
        "name": "id",
        "in": "path",
        "required": True,
        "description": f"Whose: the id of a {of}.",
        "x-relation": of,
        "schema": schema,
    }
