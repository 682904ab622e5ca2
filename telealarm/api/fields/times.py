"""Fields that hold moments and times of day."""

import re
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields import json_schema
from telealarm.api.fields.base import FieldType, Schema
from telealarm.rules import dates

_CLOCK = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?", re.ASCII)
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?"
    # The offset of a clock from before the zones, such as -00:14:44, has seconds.
    r"(Z|[+-][0-9]{2}:?[0-9]{2}(:[0-9]{2})?)?",
    re.ASCII,
)
# The offset of such a time after a space.
_SPACED_OFFSET = re.compile(r"(:[0-9.]+) ([0-9]{2}:?[0-9]{2})$", re.ASCII)


@dataclass(frozen=True)
class Moment(FieldType):
    """A date and time. Without an offset it is local: it stays naive until its zone is known."""

    def read(self, value: Any) -> datetime:
        right = "must be a date and time like 2013-12-10 12:34:43 or 2013-12-10T12:34:43+01:00"
        if not isinstance(value, str) or not _MOMENT.fullmatch(value.strip()):
            raise ValueError(right)
        try:
            return datetime.fromisoformat(value.strip())
        except ValueError:
            raise ValueError(f"{right}, of a day that exists") from None

    def schema(self) -> Schema:
        return {**json_schema.MOMENT, "examples": ["2040-01-09T09:00:00+01:00"]}

    def shown(self) -> Schema:
        return json_schema.MOMENT


class QueryMoment(Moment):
    """A moment in an address. There, a `+` that is not written as %2B arrives as a space."""

    def read(self, value: Any) -> datetime:
        return super().read(_SPACED_OFFSET.sub(r"\1+\2", value.strip()))


@dataclass(frozen=True)
class Moments(FieldType):
    """A list of dates and times, as `Moment` reads them. null is an empty list."""

    most: int = 1000

    def read(self, value: Any) -> list[datetime]:
        if not isinstance(value, list) or len(value) > self.most:
            raise ValueError(f"must be a list of at most {self.most} dates and times")
        return [self._read_item(item) for item in value]

    def _read_item(self, item: Any) -> datetime:
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
