"""Fields that hold words, times, relations and JSON objects."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from enum import Enum
from types import NoneType
from typing import Any, get_args
from zoneinfo import ZoneInfo

from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema

from telealarm.api.core import links
from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields.base import FieldType, Schema
from telealarm.rules import dates
from telealarm.rules.text import safe

_CLOCK = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?", re.ASCII)
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?"
    r"(Z|[+-][0-9]{2}:?[0-9]{2})?",
    re.ASCII,
)
# The offset of such a time, behind a space.
_SPACED_OFFSET = re.compile(r"(:[0-9.]+) ([0-9]{2}:?[0-9]{2})$", re.ASCII)
# The same for the document, as far as a pattern can tell an impossible day.
_MOMENT_PATTERN = (
    "^(?:197[1-9]|19[89][0-9]|20[0-9]{2}|21[0-8][0-9])-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    "[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\\.[0-9]{1,9})?)?"
    "(?:Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])?$"
)


@dataclass(frozen=True)
class OneOf(FieldType):
    """One word of a closed set."""

    words: tuple[str, ...]

    def read(self, value: Any) -> str:
        if not isinstance(value, str) or value not in self.words:
            raise ValueError(f"must be one of {', '.join(self.words)}")
        return value

    def schema(self) -> Schema:
        return {"type": "string", "enum": list(self.words)}


@dataclass(frozen=True)
class Moment(FieldType):
    """A date and time; one without an offset is local, and stays naive until its zone is known."""

    def read(self, value: Any) -> datetime:
        right = "must be a date and time like 2013-12-10 12:34:43 or 2013-12-10T12:34:43+01:00"
        if not isinstance(value, str) or not _MOMENT.fullmatch(value.strip()):
            raise ValueError(right)
        try:
            return datetime.fromisoformat(value.strip())
        except ValueError:
            raise ValueError(f"{right}, of a day that exists") from None

    def schema(self) -> Schema:
        examples = ["2013-12-10 12:34:43", "2013-12-10T12:34:43+01:00"]
        return {"type": "string", "pattern": _MOMENT_PATTERN, "examples": examples}

    def shown(self) -> Schema:
        return {"type": "string", "format": "date-time"}


class QueryMoment(Moment):
    """A moment in an address, where a `+` that is not written as %2B arrives as a space."""

    def read(self, value: Any) -> datetime:
        return super().read(_SPACED_OFFSET.sub(r"\1+\2", value.strip()))


class Absent(Enum):
    """The default of a field for which null says something else than leaving it out."""

    LEFT_OUT = "left out"


@dataclass(frozen=True)
class Moments(FieldType):
    """A list of dates and times, as `Moment` reads them; null is an empty one."""

    most: int = 1000

    def read(self, value: Any) -> list[datetime]:
        if not isinstance(value, list) or len(value) > self.most:
            raise ValueError(f"must be a list of at most {self.most} dates and times")
        return [self._one(item) for item in value]

    def _one(self, item: Any) -> datetime:
        moment = Moment().read(item)
        try:
            dates.to_utc(moment, ZoneInfo("UTC"))
        except ValueError as error:
            raise ValueError(str(error)) from None
        return moment

    def schema(self) -> Schema:
        return {"type": "array", "items": Moment().schema(), "maxItems": self.most}

    def shown(self) -> Schema:
        return {"type": "array", "items": {"type": "string"}}


@dataclass(frozen=True)
class Clock(FieldType):
    """A time of day, HH:MM or HH:MM:SS."""

    def read(self, value: Any) -> time:
        if not isinstance(value, str) or not _CLOCK.fullmatch(value.strip()):
            raise ValueError("must be a time of day like 08:30 or 08:30:00")
        try:
            return time.fromisoformat(value.strip())
        except ValueError:
            raise ValueError("must be a time of day from 00:00:00 to 23:59:59") from None

    def schema(self) -> Schema:
        pattern = "^(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?$"
        return {"type": "string", "pattern": pattern, "examples": ["08:30:00"]}

    def show(self, context: RequestContext, row: Any, name: str) -> Any:
        return str(getattr(row, name))


@dataclass(frozen=True)
class Relation(FieldType):
    """A link to a row of `resource`, or its bare id. `elsewhere` explains links to others."""

    resource: str
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    def read(self, value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # JSON does not tell 5.0 from 5
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value) if 0 <= value < 10**20 else "-"
        if not isinstance(value, str):
            raise ValueError(self._right())
        text = value.strip()
        if text.isascii() and text.isdigit():
            return self._existing(links.row_id(text), text)
        found = links.parse(text)
        if found is None or found[0] != self.resource:
            raise ValueError(self.elsewhere.get(found[0] if found else "", self._right()))
        return self._existing(found[1], text)

    def _existing(self, row_id: int | None, text: str) -> int:
        if row_id is None:
            raise ValueError(self.missing(text[:40]))
        return row_id

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """As DRF has it: an empty text is null, where null may be."""
        schema = super().__get_pydantic_core_schema__(source, handler)
        if NoneType not in get_args(source):
            return schema
        return core_schema.no_info_before_validator_function(
            lambda value: None if value == "" else value, schema
        )

    def missing(self, row_id: int | str) -> str:
        """What is said of a row that does not exist or is another's."""
        return f"{self.resource} {row_id} does not exist"

    def schema(self) -> Schema:
        link = f"(?:https?://[^/?#]+)?{links.BASE}{self.resource}/[1-9][0-9]{{0,8}}/?"
        return {
            "anyOf": [
                {"type": "string", "pattern": f"^(?:[1-9][0-9]{{0,8}}|{link})$"},
                {"type": "integer", "minimum": 1, "maximum": links.LARGEST_ID},
            ],
            "description": f"A link to a {self.resource}, or its bare id.",
            "examples": [f"{links.BASE}{self.resource}/1/", 1],
            "x-relation": self.resource,
        }

    def show(self, context: RequestContext, row: Any, name: str) -> Any:
        return context.links.maybe(self.resource, getattr(row, f"{name}_id"))

    def shown(self) -> Schema:
        return {"type": "string", "format": "uri"}

    def _right(self) -> str:
        link = f"http://host{links.BASE}{self.resource}/1/"
        return f"must be a link to a {self.resource} like {link}, or its id"


@dataclass(frozen=True)
class Json(FieldType):
    """A JSON object of texts, numbers, flags and lists or objects of them."""

    max_depth: int = 6

    def read(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValueError('must be a JSON object like {"doc_name": "Smith"}')
        self._check(value, self.max_depth)
        return value

    def schema(self) -> Schema:
        return {"type": "object"}

    def _check(self, value: Any, depth: int) -> None:
        if depth < 0:
            raise ValueError(f"must be nested at most {self.max_depth} deep")
        if isinstance(value, dict):
            for key, item in value.items():
                self._check(key, depth)
                self._check(item, depth - 1)
        elif isinstance(value, list):
            for item in value:
                self._check(item, depth - 1)
        elif isinstance(value, str) and not safe(value, lines=True):
            raise ValueError("must not hold control characters")
        elif isinstance(value, float) and not math.isfinite(value):
            raise ValueError("must hold finite numbers")
        elif isinstance(value, int) and abs(value) >= 10**300:
            raise ValueError("must hold smaller numbers")
