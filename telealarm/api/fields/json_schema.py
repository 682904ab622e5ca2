"""JSON Schemas of replies: the parts that resources build theirs from."""

import re
from collections.abc import Iterable, Mapping

from peewee import BooleanField, Field, FloatField, ForeignKeyField, IntegerField, JSONField

from telealarm.api.fields.base import Schema
from telealarm.models.base import UtcField

LINK: Schema = {"type": "string", "format": "uri"}
MAYBE_LINK: Schema = {"type": ["string", "null"], "format": "uri"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
# An object of any names and values.
ANY_OBJECT: Schema = {"type": "object", "additionalProperties": True}


def ref(name: str) -> Schema:
    """Return a reference to a schema among the document's components."""
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Schema) -> Schema:
    """Return a schema of `schema` or null.

    What becomes a component of the document (an enum, an object) keeps its type.
    """
    if isinstance(schema.get("type"), str) and not schema.keys() & {"enum", "properties"}:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def thing(properties: Mapping[str, Schema], title: str = "") -> Schema:
    """Return the schema of an object that always has all these properties.

    `title`: its name in the document, if it shall not be named after its place there.
    """
    named = {"title": title} if title else {}
    return {
        **named,
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
    }


def words(words: Iterable[str], title: str = "") -> Schema:
    """Return the schema of one word of a closed set."""
    named = {"title": title} if title else {}
    return {**named, "type": "string", "enum": [str(word) for word in words]}


def numbers(words: Mapping[int, str], title: str = "") -> Schema:
    """Return the schema of one number of a closed set. `words`: what each number means."""
    named = {"title": title} if title else {}
    return {
        **named,
        "type": "integer",
        "enum": list(words),
        "description": ", ".join(f"{number} {word}" for number, word in words.items()),
        "x-enum-varnames": [varname(word) for word in words.values()],
    }


def varname(word: str) -> str:
    """Return the name of a word as a constant in programs, like `IN_PROCESS` or `MINUS_DATE`."""
    name = re.sub(r"[^A-Z0-9]+", "_", re.sub(r"^-", "minus_", word).upper()).strip("_")
    return name if name[:1].isalpha() else f"VALUE_{name}" if name else "EMPTY"


# The predecessor's replies to an order that was carried out.
DONE: Schema = thing({"status": {"type": "string"}}, "Done")


def page_of(item: Mapping[str, Schema] | str, title: str = "") -> Schema:
    """Return the schema of a page. `item`: the properties of an item, or a component.

    `title`: the name of the item in the document.
    """
    items = ref(item) if isinstance(item, str) else thing(item, title)
    return thing(
        {
            "count": {"type": "integer", "minimum": 0},
            "next": MAYBE_LINK,
            "previous": MAYBE_LINK,
            "results": {"type": "array", "items": items},
        }
    )


def bare(item: Schema) -> Schema:
    """Return the schema of the predecessor's lists.

    One item is an object, several are an array. For none, there is an object with a note.
    """
    note = thing({"note": {"type": "string"}}, "Note")
    return {"anyOf": [{"type": "array", "items": item, "minItems": 2}, item, note]}


def of_column(column: Field) -> Schema:
    """Return the schema of a column that a reply shows without changes."""
    schema: Schema
    if isinstance(column, JSONField):
        return {}  # any JSON
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
