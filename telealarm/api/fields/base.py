"""The base of field types: a field type turns a client's value into the value of a row.

A form names its field types as metadata: `label: Annotated[str, Text(80)]`. A field type raises
ValueError with a sentence that says which value is right. If the annotation allows None, null is
accepted.
"""

from datetime import datetime
from enum import Enum
from types import NoneType
from typing import Any, get_args

from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema

from telealarm.api.core.request_context import RequestContext, stamp

# A JSON Schema, or a part of one.
Schema = dict[str, Any]


def plain(value: Any) -> Any:
    """Return the value of a column for JSON. A moment is in UTC."""
    return stamp(value) if isinstance(value, datetime) else value


class FieldType:
    """The base class of field types."""

    def read(self, value: Any) -> Any:
        """Return the value to keep. Raises ValueError. Never gets a null that the field allows."""
        raise NotImplementedError

    def schema(self) -> Schema:
        """Return the schema of the values that a client should send, without null.

        It has one type. What `read` accepts beside it (a number as a text, a word for a number) is
        not in the document: generators cannot make types of it.
        """
        return {}

    def show(self, context: RequestContext, row: Any, name: str) -> Any:
        """Return the value of the row's field `name` in a reply."""
        return plain(getattr(row, name))

    def shown(self) -> Schema:
        """Return the schema of the value in a reply."""
        return self.schema()

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        schema = core_schema.no_info_plain_validator_function(self.read)
        return core_schema.nullable_schema(schema) if NoneType in get_args(source) else schema


class Absent(Enum):
    """The default of a field if null and leaving it out mean different things."""

    LEFT_OUT = "left out"
