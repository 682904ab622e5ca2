"""Fields that hold numbers and flags. A client may send them as texts."""

import re
from dataclasses import dataclass
from typing import Any

from telealarm.api.fields.base import FieldType, Schema

SMALLEST, LARGEST = -(2**31), 2**31 - 1

_WHOLE = re.compile(r"[+-]?[0-9]{1,20}", re.ASCII)
_REAL = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)


@dataclass(frozen=True)
class Whole(FieldType):
    """A whole number."""

    least: int = SMALLEST
    most: int = LARGEST

    def read(self, value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError("must be a whole number")
        if not self.least <= value <= self.most:
            raise ValueError(f"must lie between {self.least} and {self.most}")
        return value

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True)
class Real(FieldType):
    """A finite number."""

    least: float
    most: float

    def read(self, value: Any) -> float:
        if isinstance(value, str) and _REAL.fullmatch(value.strip()):
            value = float(value)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise ValueError("must be a number")
        if not self.least <= value <= self.most:  # also refuses not-a-number
            raise ValueError(f"must lie between {self.least:g} and {self.most:g}")
        return float(value)

    def schema(self) -> Schema:
        return {"type": "number", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True)
class Flag(FieldType):
    """true or false."""

    def read(self, value: Any) -> bool:
        if isinstance(value, str):
            value = {"true": True, "false": False}.get(value.strip().lower())
        if not isinstance(value, bool):
            raise ValueError("must be true or false")
        return value

    def schema(self) -> Schema:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Instruction(Flag):
    """A flag that says how to carry out the write. No row has it, and no reply shows it."""

    def schema(self) -> Schema:
        return {**super().schema(), "writeOnly": True}
