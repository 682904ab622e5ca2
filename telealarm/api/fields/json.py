"""Fields that hold JSON objects."""

import math
from dataclasses import dataclass
from typing import Any

from telealarm.api.fields import json_schema
from telealarm.api.fields.base import FieldType, Schema
from telealarm.rules.text import safe


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
        return json_schema.ANY_OBJECT

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
