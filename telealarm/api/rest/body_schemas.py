"""The shapes of bodies: what a form takes, and what a resource replies."""

from datetime import time
from enum import IntEnum
from types import NoneType
from typing import Any, get_args

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from telealarm.api.fields import json_schema
from telealarm.api.fields.base import FieldType, Schema
from telealarm.api.fields.form import Form, marked
from telealarm.api.fields.texts import Secret
from telealarm.api.fields.values import Absent
from telealarm.api.rest.resource import Resource


def title(resource: Resource) -> str:
    """The name of a resource's reply among the document's components: `CalendarUser`."""
    return "".join(part.capitalize() for part in resource.name.split("-"))


def form(
    form: type[Form], *, partial: bool, new: bool = False, read_only: frozenset[str] = frozenset()
) -> Schema:
    """The body that a form takes. `partial`: of a PATCH. `new`: of a POST, which needs secrets."""
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
        properties[name] = {"description": "Is taken and left as it is.", "readOnly": True}
    shape: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if required and not partial:
        shape["required"] = required
    return shape


def reply(resource: Resource) -> Schema:
    """The reply that shows one row: its form without secrets, and what is read only."""
    properties = {name: _shown(resource, name) for name in _names(resource)}
    shape = json_schema.thing(properties)
    shape["required"] = [name for name in properties if name not in resource.hidden]
    return shape


def _names(resource: Resource) -> list[str]:
    if resource.form is None:
        return list(resource.shapes)
    secrets = marked(resource.form, Secret)
    own = [name for name in resource.form.model_fields if name not in secrets]
    return list(dict.fromkeys(["url", *own, *sorted(resource.read_only)]))


def _shown(resource: Resource, name: str) -> Schema:
    if name in resource.shapes:
        return resource.shapes[name]
    if name == "url":
        return json_schema.LINK
    column = resource.model._meta.fields.get(name)
    kind = marked(resource.form, FieldType).get(name) if resource.form else None
    if column is not None and kind is None:
        return json_schema.of_column(column)
    if kind is None or resource.form is None:
        return {}
    empty = column.null if column is not None else _allows_null(resource.form.model_fields[name])
    return json_schema.nullable(kind.shown()) if empty else kind.shown()


def _field(info: FieldInfo, *, null: bool) -> Schema:
    kind = next(mark for mark in info.metadata if isinstance(mark, FieldType))
    schema = kind.schema()
    words = ("description", "examples", "x-relation")
    notes: Schema = {word: schema.pop(word) for word in words if word in schema}
    if null and _allows_null(info):
        options = schema["anyOf"] if set(schema) == {"anyOf"} else [schema]
        none = {"type": "null"}
        schema = {"anyOf": options if none in options else [*options, none]}
    return {"description": (type(kind).__doc__ or "").strip().split("\n")[0], **notes, **schema}


def _allows_null(info: FieldInfo) -> bool:
    return info.annotation is NoneType or NoneType in get_args(info.annotation)


def _default(info: FieldInfo) -> dict[str, Any]:
    value = info.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined or value is None or isinstance(value, Absent):
        return {}
    if isinstance(value, time):
        return {"default": str(value)}
    return {"default": int(value) if isinstance(value, IntEnum) else value}
