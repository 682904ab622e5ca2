"""JSON Schemas of replies: the parts that resources build theirs from."""

from collections.abc import Mapping

from peewee import BooleanField, Field, FloatField, ForeignKeyField, IntegerField, JSONField

from telealarm.api.fields.base import Schema
from telealarm.models.base import UtcField

LINK: Schema = {"type": "string", "format": "uri"}
MAYBE_LINK: Schema = {"type": ["string", "null"], "format": "uri"}
MOMENT: Schema = {"type": "string", "format": "date-time"}


def ref(name: str) -> Schema:
    """Return a reference to a schema among the document's components."""
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Schema) -> Schema:
    """Return a schema of `schema` or null."""
    if schema.get("type") == "null":
        return schema
    if isinstance(schema.get("type"), str):
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]} if schema else {}


def thing(properties: Mapping[str, Schema]) -> Schema:
    """Return the schema of an object that always has all these properties."""
    return {"type": "object", "properties": dict(properties), "required": list(properties)}


def page_of(item: Mapping[str, Schema] | str) -> Schema:
    """Return the schema of a page. `item`: the properties of an item, or a component."""
    items = ref(item) if isinstance(item, str) else thing(item)
    return thing(
        {
            "count": {"type": "integer", "minimum": 0},
            "next": MAYBE_LINK,
            "previous": MAYBE_LINK,
            "results": {"type": "array", "items": items},
        }
    )


# The predecessor's lists: an object for one item, an array for several. For none, an object with a
# note.
BARE: Schema = {
    "anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}, "minItems": 2}]
}


def of_column(column: Field) -> Schema:
    """Return the schema of a column that a reply shows without changes."""
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
