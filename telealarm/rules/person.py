"""A person's number in all its forms, and the texts that name the person."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import phonenumbers

from telealarm.rules import phone, phone_number

# What stands where a person was named.
ERASED = "[erased]"

# Between the digits of a number in a text.
_GAP = r"[\s()./\u00a0\u2010-\u2015-]{0,3}"
# A number with fewer digits is an extension; such digits in a text may be anything.
_FEWEST = 7
# The keys of an event's data that name a person.
_NAME_KEY = re.compile(
    r"(^|_)(full_?)?name$|first_?name|last_?name|surname|given_?name|family_?name"
    r"|patient|client|customer|guest|nombre|apellido|vorname|nachname|^nom$|prenom",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class NumberForms:
    """The forms of one number.

    `exact`: how rows write it with its country code, or as it was asked for. `national`: how rows
    write it without; there it is this number only if the row has no E.164 form.
    """

    e164: str
    exact: frozenset[str]
    national: frozenset[str] = frozenset()

    @property
    def canonical(self) -> frozenset[str]:
        """The forms that identify the number: for keyed digests."""
        return frozenset(phone.normal(form) for form in self.exact)

    def is_same(self, text: str | None) -> bool:
        """Return whether a text that people wrote is this number."""
        cleaned = re.sub(r"[^0-9+]", "", text or "")
        return bool(cleaned) and cleaned in self.exact | self.national

    def pattern(self) -> str | None:
        """Return the regular expression that finds the number in a text; None: it is too short."""
        if self.e164:
            parsed = phonenumbers.parse(self.e164)
            digits = phonenumbers.national_significant_number(parsed)
            code = _GAP.join(str(parsed.country_code))
            before = rf"(?:(?:\+|00|011)?{_GAP}{code}{_GAP})?(?:\(?0\)?{_GAP})?"
        else:
            digits = re.sub(r"[^0-9]", "", min(self.exact, key=len, default=""))
            before = r"\+?"
        if len(digits) < _FEWEST:
            return None
        return rf"(?<![0-9]){before}{_GAP.join(digits)}(?![0-9])"

    def rough(self) -> str | None:
        """Return a LIKE pattern that finds at least all texts that `pattern` finds."""
        longest = max(self.national or self.exact, key=len, default="")
        digits = re.sub(r"[^0-9]", "", longest)[-_FEWEST:]
        return f"%{'%'.join(digits)}%" if len(digits) == _FEWEST else None


def forms(text: str, region: str | None) -> NumberForms:
    """Return the forms of a number. Raises ValueError with a sentence if it is none."""
    read = phone_number.read(text, region)
    if not read.written:
        raise ValueError("write a phone number")
    if not read.e164:
        return NumberForms("", frozenset(phone.spellings(read.written) | {read.written}))
    parsed = phonenumbers.parse(read.e164)
    significant = phonenumbers.national_significant_number(parsed)
    written = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    national = {significant, re.sub(r"[^0-9]", "", written), read.written, read.e164[1:]}
    exact = phone.spellings(read.e164) | {"011" + read.e164[1:]}
    return NumberForms(
        read.e164,
        frozenset(exact),
        frozenset(form for form in national - exact if len(form) >= _FEWEST),
    )


def together(several: Iterable[NumberForms]) -> NumberForms:
    """Return the forms of what is one number for one manager: the regions read it differently."""
    every = list(several)
    return NumberForms(
        next((one.e164 for one in every if one.e164), ""),
        frozenset().union(*(one.exact for one in every)),
        frozenset().union(*(one.national for one in every)),
    )


@dataclass
class Words:
    """What names a person in a text: numbers, names, mail addresses."""

    numbers: list[NumberForms] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    _compiled: "re.Pattern[str] | None" = None

    def rough(self) -> list[str]:
        """Return LIKE patterns: a text that names the person matches one of them."""
        names = [name for text in self.names for name in dict.fromkeys((text, _escaped(text)))]
        like = ["%" + re.sub(r"[%_\\\s]+", "%", name) + "%" for name in names]
        return [*filter(None, (one.rough() for one in self.numbers)), *like]

    def finds(self, text: str) -> bool:
        """Return whether the text names the person."""
        return self._pattern().search(text) is not None

    def blank(self, text: str) -> str:
        """Return the text without what names the person. JSON stays JSON."""
        if text[:1] in ("{", "["):
            try:
                value = json.loads(text)
            except ValueError:
                pass
            else:
                blanked = self.blank_value(value)
                if blanked == value:
                    return text
                return json.dumps(blanked, ensure_ascii=False, separators=(",", ":"))
        return self._pattern().sub(ERASED, text)

    def blank_value(self, value: Any) -> Any:
        """Return what JSON can express, without what names the person."""
        if isinstance(value, str):
            return self._pattern().sub(ERASED, value)
        if isinstance(value, dict):
            named = self._is_named(value)
            return {
                self._pattern().sub(ERASED, key): (
                    ERASED if named and _is_name(key, item) else self.blank_value(item)
                )
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self.blank_value(item) for item in value]
        if isinstance(value, int) and not isinstance(value, bool) and self.finds(str(value)):
            return ERASED
        return value

    def knows(self, name: str) -> bool:
        """Return whether this is one of the person's names."""
        return " ".join(name.casefold().split()) in {
            " ".join(known.casefold().split()) for known in self.names
        }

    def _is_named(self, values: Mapping[str, Any]) -> bool:
        """Return whether first and last name are the person's, each under a key of its own."""
        return any(self.knows(name) for name in names_in(values))

    def _pattern(self) -> "re.Pattern[str]":
        if self._compiled is None:
            parts = [pattern for one in self.numbers if (pattern := one.pattern())]
            for name in sorted(self.names, key=len, reverse=True):
                flexible = r"\s+".join(re.escape(word) for word in name.split())
                parts.append(rf"(?<!\w){flexible}(?!\w)")
            self._compiled = re.compile("|".join(parts) or r"(?!)", re.IGNORECASE)
        return self._compiled


def names_in(data: object) -> list[str]:
    """Return the names in an event's data: the whole ones, and those of which one is made."""
    if not isinstance(data, dict):
        return []
    found = {str(key).lower(): value.strip() for key, value in data.items() if _is_name(key, value)}
    whole = [name for name in found.values() if len(name.split()) > 1]
    first = next((found[key] for key in found if "first" in key or "given" in key), "")
    last = next((found[key] for key in found if "last" in key or "family" in key), "")
    return [*whole, *full_names(first, last)]


def full_names(first: str, last: str) -> list[str]:
    """Return how a person is written with both names; nothing if one is missing."""
    first, last = first.strip(), last.strip()
    return [f"{first} {last}", f"{last}, {first}", f"{last} {first}"] if first and last else []


def _is_name(key: object, value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and bool(_NAME_KEY.search(str(key)))


def _escaped(text: str) -> str:
    """Return the text as it stands in JSON."""
    return json.dumps(text)[1:-1]
