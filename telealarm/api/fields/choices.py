"""Fields that hold one value of a closed set."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from telealarm.api.fields import json_schema
from telealarm.api.fields.base import FieldType, Schema
from telealarm.api.fields.numbers import Whole


@dataclass(frozen=True)
class OneOf(FieldType):
    """One word of a closed set."""

    words: tuple[str, ...]

    def read(self, value: Any) -> str:
        if not isinstance(value, str) or value not in self.words:
            raise ValueError(f"must be one of {', '.join(self.words)}")
        return value

    def schema(self) -> Schema:
        return json_schema.words(self.words)


@dataclass(frozen=True)
class Choice(FieldType):
    """One number of a closed set, or its word: `Choice({1: "active", 0: "inactive"})`.

    `title`: the name of the set in the OpenAPI document.
    """

    words: Mapping[int, str]
    title: str = ""

    def read(self, value: Any) -> int:
        by_word = {word: number for number, word in self.words.items()}
        if isinstance(value, str) and value.strip().lower() in by_word:
            return by_word[value.strip().lower()]
        with suppress(ValueError):
            number = Whole().read(value)
            if number in self.words:
                return number
        offered = ", ".join(f"{number} ({word})" for number, word in self.words.items())
        raise ValueError(f"must be one of {offered}")

    def schema(self) -> Schema:
        return json_schema.numbers(self.words, self.title)
