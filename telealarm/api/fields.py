"""The kinds of fields: each reads what a client sent into what a row holds.

A form names them as metadata: `label: Annotated[str, Text(80)]`. A kind raises ValueError with
a sentence that says what would be right. Where the annotation allows None, null passes.
"""

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, time
from types import NoneType
from typing import Any, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema

from telealarm.api import links
from telealarm.rules import phone

SMALLEST, LARGEST = -(2**31), 2**31 - 1

# Control characters and halves of surrogate pairs; in a text of several lines, tab and line
# breaks are no control characters.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNSAFE_IN_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

_WHOLE = re.compile(r"[+-]?[0-9]{1,20}", re.ASCII)
_REAL = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)
_CLOCK = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?", re.ASCII)
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?"
    r"(Z|[+-][0-9]{2}:?[0-9]{2})?",
    re.ASCII,
)


def safe(text: str, *, lines: bool = False) -> bool:
    """Whether `text` is free of control characters (several `lines` may have tabs and breaks)."""
    return not (_UNSAFE_IN_LINES if lines else _UNSAFE).search(text)


class Kind:
    """What every kind shares."""

    def read(self, value: Any) -> Any:
        """The value to keep. Raises ValueError; null never gets here where it may pass."""
        raise NotImplementedError

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        schema = core_schema.no_info_plain_validator_function(self.read)
        return core_schema.nullable_schema(schema) if NoneType in get_args(source) else schema


@dataclass(frozen=True)
class Text(Kind):
    """A text; a number is taken as its digits, null as an empty text."""

    max_length: int
    min_length: int = 0
    lines: bool = False

    def read(self, value: Any) -> str:
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**20:
            value = str(value)
        if value is None and not self.min_length:
            value = ""
        if not isinstance(value, str):
            raise ValueError("must be a text")
        text: str = value if self.lines else value.strip()
        if not safe(text, lines=self.lines):
            raise ValueError("must not hold control characters")
        if len(text) < self.min_length:
            raise ValueError("must not be empty")
        if len(text) > self.max_length:
            raise ValueError(f"must have at most {self.max_length} characters")
        return text


@dataclass(frozen=True)
class Secret(Text):
    """A password: hashed before it is kept, never shown."""

    max_length: int = 128
    min_length: int = 1


@dataclass(frozen=True)
class Word(Text):
    """A text that must match `pattern` as a whole; `right` says what would."""

    pattern: str = ""
    right: str = ""

    def read(self, value: Any) -> str:
        text = super().read(value)
        if not re.fullmatch(self.pattern, text, re.ASCII):
            raise ValueError(self.right)
        return text


@dataclass(frozen=True)
class Phone(Text):
    """A telephone number without the punctuation that people write; empty: none."""

    max_length: int = 50

    def read(self, value: Any) -> str:
        number = phone.clean(super().read(value))
        if number and not phone.is_dialable(number):
            raise ValueError("must be a phone number: digits with an optional leading +")
        return number


@dataclass(frozen=True)
class Url(Text):
    """An http or https address; empty: none."""

    max_length: int = 500

    def read(self, value: Any) -> str:
        address = super().read(value)
        try:
            parts = urlsplit(address)
            found = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            found = False
        if address and (not found or " " in address):
            raise ValueError("must be an address like https://example.com/path")
        return address


@dataclass(frozen=True)
class Zone(Text):
    """An IANA time zone."""

    max_length: int = 64

    def read(self, value: Any) -> str | None:  # type: ignore[override]
        name = super().read(value)
        try:
            if name:
                ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError("must be an IANA time zone, like Europe/Madrid") from None
        return name or None


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number, as a number or a text."""

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


@dataclass(frozen=True)
class Real(Kind):
    """A finite number, as a number or a text."""

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


@dataclass(frozen=True)
class Flag(Kind):
    """true or false, as JSON has them or as texts."""

    def read(self, value: Any) -> bool:
        if isinstance(value, str):
            value = {"true": True, "false": False}.get(value.strip().lower())
        if not isinstance(value, bool):
            raise ValueError("must be true or false")
        return value


@dataclass(frozen=True)
class Choice(Kind):
    """One number of a closed set, or its word: `Choice({1: "active", 0: "inactive"})`."""

    words: Mapping[int, str]

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


@dataclass(frozen=True)
class OneOf(Kind):
    """One word of a closed set."""

    words: tuple[str, ...]

    def read(self, value: Any) -> str:
        if not isinstance(value, str) or value not in self.words:
            raise ValueError(f"must be one of {', '.join(self.words)}")
        return value


@dataclass(frozen=True)
class Moment(Kind):
    """A date and time; one without an offset is local and stays naive until its zone is known."""

    def read(self, value: Any) -> datetime:
        right = "must be a date and time like 2013-12-10 12:34:43 or 2013-12-10T12:34:43+01:00"
        if not isinstance(value, str) or not _MOMENT.fullmatch(value.strip()):
            raise ValueError(right)
        try:
            return datetime.fromisoformat(value.strip())
        except ValueError:
            raise ValueError(f"{right}, of a day that exists") from None


@dataclass(frozen=True)
class Clock(Kind):
    """A time of day, HH:MM or HH:MM:SS."""

    def read(self, value: Any) -> time:
        if not isinstance(value, str) or not _CLOCK.fullmatch(value.strip()):
            raise ValueError("must be a time of day like 08:30 or 08:30:00")
        try:
            return time.fromisoformat(value.strip())
        except ValueError:
            raise ValueError("must be a time of day from 00:00:00 to 23:59:59") from None


@dataclass(frozen=True)
class Relation(Kind):
    """A link to a row of `resource`, or its bare id. `elsewhere` explains links to others."""

    resource: str
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    def read(self, value: Any) -> int:
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

    def missing(self, row_id: int | str) -> str:
        """What is said of a row that does not exist or is another's."""
        return f"{self.resource} {row_id} does not exist"

    def _right(self) -> str:
        link = f"http://host{links.BASE}{self.resource}/1/"
        return f"must be a link to a {self.resource} like {link}, or its id"


@dataclass(frozen=True)
class Unavailable(Kind):
    """A field of something that this version does not have: nothing but emptiness is taken."""

    why: str

    def read(self, value: Any) -> None:
        if value not in (None, "", []):
            raise ValueError(self.why)


@dataclass(frozen=True)
class Json(Kind):
    """A JSON object of texts, numbers, flags and lists or objects of them."""

    max_depth: int = 6

    def read(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValueError('must be a JSON object like {"doc_name": "Smith"}')
        self._check(value, self.max_depth)
        return value

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
