"""The schemas of bodies: of requests by a form, and of a resource's replies."""

from datetime import time
from enum import IntEnum
from types import NoneType
from typing import Any, get_args

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from telealarm.api.fields import json_schema
from telealarm.api.fields.base import Absent, FieldType, Schema
from telealarm.api.fields.form import Form, marked
from telealarm.api.fields.reply import ReplyField, fields_of, for_superusers
from telealarm.api.fields.texts import Secret
from telealarm.api.rest.resource import Resource


def title(resource: Resource) -> str:
    """Return the name of a resource's reply in the document's components, like `CalendarUser`."""
    return "".join(part.capitalize() for part in resource.name.split("-"))


def form(
    form: type[Form], *, partial: bool, new: bool = False, read_only: frozenset[str] = frozenset()
) -> Schema:
    """Return the schema of a body by a form.

    `partial`: the body of a PATCH. `new`: the body of a POST, which must have the secrets.
    """
    properties: dict[str, Schema] = {}
    required = []
    secrets = marked(form, Secret)
    for name, info in form.model_fields.items():
        properties[name] = _field(info, null=not (new and name in secrets))
        if info.is_required() or (new and name in secrets):
            required.append(name)
        elif not partial:
            properties[name].update(_default(info))
    for name in sorted(read_only):
        properties[name] = {"description": "Accepted, but never changed.", "readOnly": True}
    shape: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if required and not partial:
        shape["required"] = required
    return shape


def reply(resource: Resource) -> Schema:
    """Return the schema of one row's reply: its form without secrets, and its read-only fields."""
    if resource.answer is not None:
        return json_schema.thing(resource.answer.properties)
    properties = {name: _shown(resource, name) for name in _names(resource)}
    shape = json_schema.thing(properties)
    hidden = for_superusers(resource.fields)
    shape["required"] = [name for name in properties if name not in hidden]
    return shape


def _names(resource: Resource) -> list[str]:
    shown = list(fields_of(resource.fields))
    if resource.form is None:
        return shown
    writable = [name for name in shown if name not in resource.read_only]
    return list(dict.fromkeys(["url", *writable, *sorted(resource.read_only)]))


def _shown(resource: Resource, name: str) -> Schema:
    field = fields_of(resource.fields)[name]
    if isinstance(field, ReplyField):
        schema = field.schema(resource.model, name)
        return {"description": field.meaning, **schema} if field.meaning else schema
    column = resource.model._meta.fields.get(name)
    info = resource.fields.model_fields[name]
    empty = column.null if column is not None else _allows_null(info)
    return json_schema.nullable(field.shown()) if empty else field.shown()


def _field(info: FieldInfo, *, null: bool) -> Schema:
    field_type = next(mark for mark in info.metadata if isinstance(mark, FieldType))
    schema = field_type.schema()
    words = ("description", "examples", "x-relation")
    notes: Schema = {word: schema.pop(word) for word in words if word in schema}
    if null and _allows_null(info):
        options = schema["anyOf"] if set(schema) == {"anyOf"} else [schema]
        none = {"type": "null"}
        schema = {"anyOf": options if none in options else [*options, none]}
    # First the meaning of the field, then the values that it accepts.
    takes = notes.pop("description", "") or (type(field_type).__doc__ or "").strip().split("\n")[0]
    meaning = " ".join((info.description or "").split())
    description = f"{meaning} {takes[:1].upper()}{takes[1:]}" if meaning else takes
    return {"description": description.strip(), **notes, **schema}


def _allows_null(info: FieldInfo) -> bool:
    return info.annotation is NoneType or NoneType in get_args(info.annotation)


def _default(info: FieldInfo) -> dict[str, Any]:
    value = info.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined or value is None or isinstance(value, Absent):
        return {}
    if isinstance(value, time):
        return {"default": str(value)}
    return {"default": int(value) if isinstance(value, IntEnum) else value}
