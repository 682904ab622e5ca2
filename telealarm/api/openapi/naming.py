"""Names for the document's schemas, so that generators write a class for each, under a good name.

An object with properties and a closed set of values (an enum) become components. Generators name
what stands inline by its place: a class for the same statuses in each of five bodies.
"""

import re
from collections.abc import Mapping
from typing import Any

from telealarm.api.fields import json_schema
from telealarm.api.fields.base import Schema

# What belongs to the field, and not to the values that it takes.
_OF_FIELD = ("description", "x-default", "examples", "readOnly", "writeOnly")
_FORM = re.compile(r"(New|Put|Patch)$")
_PAGE = {"count", "next", "previous", "results"}


class Components:
    """The schemas of the document, by name."""

    def __init__(self) -> None:
        self.schemas: dict[str, Schema] = {}

    def add(self, schemas: Mapping[str, Schema]) -> None:
        """Add named schemas. What is inside of them is named after them: `AlarmStatus`.

        Raises ValueError if two different schemas would have one name: give one a `title`.
        """
        for name, schema in schemas.items():
            base = _FORM.sub("", name)
            self._register(name, self._inside(schema, base))

    def named(self, schema: Schema, name: str) -> Schema:
        """Return the schema with references to components instead of its objects and enums."""
        schema = self._inside(schema, schema.get("title", name))
        if not schema.keys() & {"properties", "enum"}:
            return schema
        inner = {key: value for key, value in schema.items() if key not in _OF_FIELD}
        title = inner.pop("title", name)
        if "enum" in inner:
            inner = _enum(inner)
        self._register(title, inner)
        outer = {key: schema[key] for key in _OF_FIELD if key in schema}
        return {**json_schema.ref(title), **outer}

    def reply(self, schema: Schema, operation_id: str) -> Schema:
        """Return the schema of a reply with references to components, named after its operation."""
        is_page = schema.get("properties", {}).keys() >= _PAGE
        return self.named(schema, pascal(operation_id) + ("Page" if is_page else "Reply"))

    def _inside(self, schema: Schema, name: str) -> Schema:
        """Return the schema with each schema inside of it named."""
        schema = dict(schema)
        if "properties" in schema:
            name = re.sub("(Reply|Page)$", "", name)
            schema["properties"] = {
                key: self.named(value, name if key == "results" else name + pascal(key))
                for key, value in schema["properties"].items()
            }
        if "items" in schema:
            schema["items"] = self.named(schema["items"], f"{name}Item")
        if isinstance(schema.get("additionalProperties"), dict):
            inner = self.named(schema["additionalProperties"], f"{name}Value")
            schema["additionalProperties"] = inner
        if "anyOf" in schema:
            schema["anyOf"] = [self.named(option, name) for option in schema["anyOf"]]
        return schema

    def _register(self, name: str, schema: Schema) -> None:
        if self.schemas.setdefault(name, schema) != schema:
            raise ValueError(f"two schemas of the document are named {name}: give one a `title`")


def pascal(name: str) -> str:
    """Return `calendar-user` or `get_list_child` as the name of a class."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name))


def operation(components: Components, operation: dict[str, Any]) -> None:
    """Name the schemas of an operation, in place."""
    for parameter in operation.get("parameters", ()):
        name = pascal(operation["operationId"]) + pascal(parameter["name"])
        parameter["schema"] = components.named(parameter["schema"], name)
    for reply in operation["responses"].values():
        for media in reply.get("content", {}).values():
            media["schema"] = components.reply(media["schema"], operation["operationId"])


def _enum(schema: Schema) -> Schema:
    """Return the schema of a closed set, with names and meanings for programs."""
    names = schema.get("x-enum-varnames") or [json_schema.varname(word) for word in schema["enum"]]
    named = {**schema, "x-enum-varnames": names}
    if schema["type"] == "integer":
        pairs = zip(schema["enum"], names, strict=True)
        named["description"] = ", ".join(f"{number} {name.lower()}" for number, name in pairs)
    return named
