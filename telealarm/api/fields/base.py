"""A kind of field: reads what a client sent into what a row holds.

A form names its kinds as metadata: `label: Annotated[str, Text(80)]`. A kind raises ValueError
with a sentence that says what would be right. Where the annotation allows None, null passes.
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
    """The value of a column as JSON has it; a moment in UTC."""
    return stamp(value) if isinstance(value, datetime) else value


class FieldType:
    """What every kind shares."""

    def read(self, value: Any) -> Any:
        """The value to keep. Raises ValueError; null never gets here where it may pass."""
        raise NotImplementedError

    def schema(self) -> Schema:
        """What `read` takes, for the document: all that it allows is taken, null aside."""
        return {}

    def show(self, context: RequestContext, row: Any, name: str) -> Any:
        """What a reply says of the row's field `name`."""
        return plain(getattr(row, name))

    def shown(self) -> Schema:
        """What a reply says, for the document."""
        return self.schema()

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        schema = core_schema.no_info_plain_validator_function(self.read)
        return core_schema.nullable_schema(schema) if NoneType in get_args(source) else schema


class Absent(Enum):
    """The default of a field for which null says something else than leaving it out."""

    LEFT_OUT = "left out"
