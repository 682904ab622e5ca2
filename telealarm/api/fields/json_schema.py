"""JSON Schemas of replies: the words that resources say theirs in."""

from collections.abc import Mapping

from peewee import BooleanField, Field, FloatField, ForeignKeyField, IntegerField, JSONField

from telealarm.api.fields.base import Schema
from telealarm.models import BaseModel
from telealarm.models.base import UtcField

LINK: Schema = {"type": "string", "format": "uri"}
MAYBE_LINK: Schema = {"type": ["string", "null"], "format": "uri"}
MOMENT: Schema = {"type": "string", "format": "date-time"}


def ref(name: str) -> Schema:
    """A schema among the document's components."""
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Schema) -> Schema:
    """`schema`, or null."""
    if schema.get("type") == "null":
        return schema
    if isinstance(schema.get("type"), str):
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]} if schema else {}


def thing(properties: Mapping[str, Schema]) -> Schema:
    """An object that always has all of these."""
    return {"type": "object", "properties": dict(properties), "required": list(properties)}


def page_of(item: Mapping[str, Schema] | str) -> Schema:
    """A page of things with these properties, or of a component."""
    items = ref(item) if isinstance(item, str) else thing(item)
    return thing(
        {
            "count": {"type": "integer", "minimum": 0},
            "next": MAYBE_LINK,
            "previous": MAYBE_LINK,
            "results": {"type": "array", "items": items},
        }
    )


# The predecessor's lists: one is an object, several an array, none an object with a note.
BARE: Schema = {
    "anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}, "minItems": 2}]
}


def of_column(column: Field) -> Schema:
    """What a reply says of a column that it shows as it is."""
    schema: Schema
    if isinstance(column, JSONField):
        return {}
    if isinstance(column, UtcField):
        schema = MOMENT
    elif isinstance(column, ForeignKeyField):
        schema = LINK
    elif isinstance(column, BooleanField):
        schema = {"type": "boolean"}
    elif isinstance(column, IntegerField):
        schema = {"type": "integer"}
    elif isinstance(column, FloatField):
        schema = {"type": "number"}
    else:
        schema = {"type": "string"}
    return nullable(schema) if column.null else schema


def of_columns(model: type[BaseModel], *names: str) -> dict[str, Schema]:
    """What a reply says of these columns."""
    return {name: of_column(model._meta.fields[name]) for name in names}
