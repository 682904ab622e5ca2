"""Fields that hold texts: lines, passwords, telephone numbers, addresses, time zones."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from telealarm.api.fields.base import FieldType, Schema
from telealarm.rules import phone, phone_number
from telealarm.rules.text import safe


@dataclass(frozen=True)
class Text(FieldType):
    """A text.

    A number is read as its digits, null as an empty text.
    """

    max_length: int
    min_length: int = 0
    lines: bool = False

    def read(self, value: Any) -> str:
        if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
            value = int(value)  # JSON does not distinguish 5.0 from 5
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**20:
            value = str(value)
        if value is None and not self.min_length:
            value = ""
        if not isinstance(value, str):
            raise ValueError("must be a text")
        text = value if self.lines else value.strip()
        if not safe(text, lines=self.lines):
            raise ValueError("must not hold control characters")
        if not text and self.min_length:
            raise ValueError("must not be empty")
        if len(text) > self.max_length:
            raise ValueError(f"must have at most {self.max_length} characters")
        return text

    def schema(self) -> Schema:
        barred = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f" if self.lines else r"\x00-\x1f\x7f-\x9f"
        pattern = f"^[^{barred}]*$"
        if self.min_length:
            pattern = rf"^[^{barred}]*[^{barred}\s][^{barred}]*$"
        return {**self.line(), "pattern": pattern}

    def shown(self) -> Schema:
        return {"type": "string"}

    def line(self) -> Schema:
        """Return the schema of a text of this length."""
        least = {"minLength": self.min_length} if self.min_length else {}
        return {"type": "string", **least, "maxLength": self.max_length}


@dataclass(frozen=True)
class Secret(Text):
    """A password. It is kept as a hash and never shown."""

    max_length: int = 128
    min_length: int = 1

    def read(self, value: Any) -> str:
        text = super().read(value)
        if len(text) < self.min_length:
            raise ValueError(f"must have at least {self.min_length} characters")
        return text

    def schema(self) -> Schema:
        return {**super().schema(), "format": "password", "writeOnly": True}


@dataclass(frozen=True)
class Word(Text):
    """A text that must match `pattern` as a whole. `right` is the error if it does not."""

    pattern: str = ""
    right: str = ""

    def read(self, value: Any) -> str:
        text = super().read(value)
        if not re.fullmatch(self.pattern, text, re.ASCII):
            raise ValueError(self.right)
        return text

    def schema(self) -> Schema:
        return {**self.line(), "pattern": f"^(?:{self.pattern})$", "description": self.right}


@dataclass(frozen=True)
class Header(Text):
    """A text for a header of a message: one line, also by Unicode's line separators."""

    def read(self, value: Any) -> str:
        if isinstance(value, str) and len(value.splitlines()) > 1:
            raise ValueError("must be one line")
        return super().read(value)


@dataclass(frozen=True)
class Phone(Text):
    """A telephone number. An empty text means no number.

    Its separators stay: the store reads it with the region of its row.
    """

    max_length: int = 50

    def read(self, value: Any) -> str:
        return phone_number.tidy(super().read(value))

    def schema(self) -> Schema:
        number = r"[ (]*\+?(?:[ (]*[0-9*#][ ().\-/]*){1,20}"
        pattern = f"^{number}$" if self.min_length else f"^(?:{number})?$"
        return {**self.line(), "pattern": pattern, "examples": ["+34600100200"]}


@dataclass(frozen=True)
class PlainPhone(Phone):
    """A telephone number that has no region. It is kept without punctuation."""

    def read(self, value: Any) -> str:
        return phone_number.read(super().read(value), None).written


@dataclass(frozen=True)
class SoughtPhone(Phone):
    """A telephone number to search for, as rows hold it."""

    def read(self, value: Any) -> str:
        number = phone.clean(Text.read(self, value))
        if number and not phone.is_dialable(number):
            raise ValueError(phone_number.RIGHT)
        return number


@dataclass(frozen=True)
class Region(Text):
    """A region with a numbering plan. An empty text or null means none of its own."""

    max_length: int = 2

    def read(self, value: Any) -> str | None:  # type: ignore[override]
        name = super().read(value).upper()
        if name and not phone_number.is_region(name):
            raise ValueError("must be a region of phone numbers, like ES or US")
        return name or None

    def schema(self) -> Schema:
        name = {**self.line(), "pattern": "^(?:[A-Z]{2})?$"}
        return {**name, "description": "A region of phone numbers.", "examples": ["ES"]}


@dataclass(frozen=True)
class Url(Text):
    """An http or https address. An empty text means no address."""

    max_length: int = 500

    def read(self, value: Any) -> str:
        address = super().read(value)
        try:
            parts = urlsplit(address)
            valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            valid = False
        if address and (not valid or " " in address):
            raise ValueError("must be an address like https://example.com/path")
        return address

    def schema(self) -> Schema:
        pattern = r"^https?://[^\s]+$" if self.min_length else r"^(?:https?://[^\s]+)?$"
        return {**self.line(), "pattern": pattern, "examples": ["https://example.com/path"]}


@dataclass(frozen=True)
class Credential(Text):
    """A secret that we use elsewhere. It is kept encrypted, and never shown.

    An edit that leaves it out keeps it.
    """

    def schema(self) -> Schema:
        return {**super().schema(), "writeOnly": True}


@dataclass(frozen=True)
class CredentialUrl(Credential, Url):
    """An address that is a secret itself. `webcal:` is read as `https:`."""

    max_length: int = 500

    def read(self, value: Any) -> str:
        if isinstance(value, str):
            value = re.sub(r"^\s*webcals?://", "https://", value, flags=re.IGNORECASE)
        return super().read(value)


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

    def schema(self) -> Schema:
        name = {**self.line(), "pattern": "^[A-Za-z0-9_+/-]*$"}
        return {**name, "description": "An IANA time zone.", "examples": ["Europe/Madrid"]}
