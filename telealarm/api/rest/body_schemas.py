"""The schemas of bodies: of requests by a form, and of a resource's replies."""

import json
from datetime import time
from enum import IntEnum
from types import NoneType
from typing import get_args

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from telealarm.api.fields import json_schema
from telealarm.api.fields.base import Absent, FieldType, Schema
from telealarm.api.fields.form import Form, Reply, marked, meaning
from telealarm.api.fields.reply import ReplyField, fields_of, for_superusers
from telealarm.api.fields.texts import Credential, Secret
from telealarm.api.rest.resource import Resource
from telealarm.models import BaseModel

# The default of a field that is left out, for the pages of docs/reference.
DEFAULT = "x-default"


def title(resource: Resource) -> str:
    """Return the name of a resource's reply in the document's components, like `CalendarUser`."""
    return "".join(part.capitalize() for part in resource.name.split("-"))


def form(
    form: type[Form],
    *,
    partial: bool,
    new: bool = False,
    model: type[BaseModel] | None = None,
) -> Schema:
    """Return the schema of a body by a form.

    `partial`: the body of a PATCH. `new`: the body of a POST, which must have the secrets. `model`:
    the table whose columns the fields are.
    """
    columns = model._meta.fields if model else {}
    properties: dict[str, Schema] = {}
    required = []
    secrets = {*marked(form, Secret), *needed(form)}
    for name, info in form.model_fields.items():
        column = columns.get(name)
        null = _allows_null(info) and (column is None or column.null) and name not in secrets
        properties[name] = _field(info, meaning(form, name), null=null)
        if info.is_required() or (new and name in secrets):
            required.append(name)
        elif not partial:
            _tell_default(properties[name], info)
    shape: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if required and not partial:
        shape["required"] = required
    return shape


def needed(form: type[Form]) -> list[str]:
    """Return the credentials that a new row must have. An edit may leave them out."""
    return [name for name, mark in marked(form, Credential).items() if mark.min_length]


def reply(resource: Resource) -> Schema:
    """Return the schema of one row's reply: its form without secrets, and its read-only fields."""
    if resource.answer is not None:
        return json_schema.thing(resource.answer.properties)
    properties = {name: shown(resource.fields, resource.model, name) for name in _names(resource)}
    shape = json_schema.thing(properties)
    hidden = for_superusers(resource.fields)
    shape["required"] = [name for name in properties if name not in hidden]
    return shape


def shown(fields: type[Reply], model: type[BaseModel], name: str) -> Schema:
    """Return the schema of one field of a reply that shows a row of `model`."""
    field = fields_of(fields)[name]
    info = fields.model_fields.get(name)
    told = meaning(fields, name)
    if isinstance(field, ReplyField):
        schema, told = field.schema(model, name), field.meaning or told
    else:
        assert info is not None
        column = model._meta.fields.get(name)
        empty = column.null if column is not None else _allows_null(info)
        schema = json_schema.nullable(field.shown()) if empty else field.shown()
    told = " ".join(filter(None, (told, schema.get("description"))))
    return {**schema, "description": told} if told else schema


def _names(resource: Resource) -> list[str]:
    shown = list(fields_of(resource.fields))
    if resource.form is None:
        return shown
    writable = [name for name in shown if name not in resource.read_only]
    return list(dict.fromkeys(["url", *writable, *sorted(resource.read_only)]))


def _field(info: FieldInfo, told: str, *, null: bool) -> Schema:
    field_type = next(mark for mark in info.metadata if isinstance(mark, FieldType))
    schema = field_type.schema()
    words = ("description", "examples", "x-relation")
    notes: Schema = {word: schema.pop(word) for word in words if word in schema}
    if null:
        schema = json_schema.nullable(schema)
    # First the meaning of the field, then the values that it accepts.
    takes = notes.pop("description", "") or (type(field_type).__doc__ or "").strip().split("\n")[0]
    description = f"{told} {takes[:1].upper()}{takes[1:]}" if told else takes
    return {"description": description.strip(), **notes, **schema}


def _allows_null(info: FieldInfo) -> bool:
    return info.annotation is NoneType or NoneType in get_args(info.annotation)


def _tell_default(schema: Schema, info: FieldInfo) -> None:
    """Say the default of a field in its description.

    The document has no `default`: generators would make the field required (openapi-typescript),
    or send the default instead of leaving the field out.
    """
    value = info.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined or value is None or isinstance(value, Absent | dict):
        return
    if isinstance(value, time):
        value = str(value)
    schema[DEFAULT] = int(value) if isinstance(value, IntEnum) else value
    if value not in ("", []) and "Default: " not in schema["description"]:
        shown = value if isinstance(value, str) else json.dumps(schema[DEFAULT])
        schema["description"] = f"{schema['description']} (default: {shown})"
