"""Fields that refer to rows of other resources."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, get_args

from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema

from telealarm.api.core import links
from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields.base import FieldType, Schema


@dataclass(frozen=True)
class Relation(FieldType):
    """A link to a row of `resource`, or its bare id.

    `elsewhere`: by resource, the error for a link to another resource.
    """

    resource: str
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    def read(self, value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # JSON does not distinguish 5.0 from 5
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value) if 0 <= value < 10**20 else "-"
        if not isinstance(value, str):
            raise ValueError(self._right())
        text = value.strip()
        if text.isascii() and text.isdigit():
            return self._existing(links.row_id(text), text)
        parsed = links.parse(text)
        if parsed is None or parsed[0] != self.resource:
            raise ValueError(self.elsewhere.get(parsed[0] if parsed else "", self._right()))
        return self._existing(parsed[1], text)

    def _existing(self, row_id: int | None, text: str) -> int:
        if row_id is None:
            raise ValueError(self.missing(text[:40]))
        return row_id

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Read an empty text as null, if the field allows null. The predecessor (DRF) did so."""
        schema = super().__get_pydantic_core_schema__(source, handler)
        if NoneType not in get_args(source):
            return schema
        return core_schema.no_info_before_validator_function(
            lambda value: None if value == "" else value, schema
        )

    def missing(self, row_id: int | str) -> str:
        """Return the error for a row that does not exist or belongs to another user."""
        return f"{self.resource} {row_id} does not exist"

    def schema(self) -> Schema:
        link = f"(?:https?://[^/?#]+)?{links.BASE}{self.resource}/[1-9][0-9]{{0,8}}/?"
        return {
            "type": "string",
            "pattern": f"^(?:[1-9][0-9]{{0,8}}|{link})$",
            "description": f"A link to a {self.resource}, or its bare id.",
            "examples": [f"{links.BASE}{self.resource}/1/"],
            "x-relation": self.resource,
        }

    def show(self, context: RequestContext, row: Any, name: str) -> Any:
        return context.links.maybe(self.resource, getattr(row, f"{name}_id"))

    def shown(self) -> Schema:
        return {"type": "string", "format": "uri"}

    def _right(self) -> str:
        link = f"http://host{links.BASE}{self.resource}/1/"
        return f"must be a link to a {self.resource} like {link}, or its id"
