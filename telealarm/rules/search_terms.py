"""The words and numbers that a row is found by, and those that somebody looks for.

A word is found by its beginning, in any case and without its accents. A phone number is found by
its last six digits or more, however it is written: its digits are kept in reverse order.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

# A longer word is found by its beginning only. It is cut in the row and in the question alike.
LONGEST_WORD = 32
# The most words of one row: a description may have ten thousand characters.
MOST_TERMS = 100
# The most words that somebody may look for at once.
MOST_SOUGHT = 8
# The fewest digits that are a phone number, and the fewest of a number without its country code.
NUMBER, _NATIONAL = 6, 8
_LONGEST_NUMBER = 20

_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"\+?\(?[0-9](?:[0-9 ()./-]*[0-9])?")
_SIGN = "#"
# Letters that Unicode does not take apart, as people type them.
_LETTERS = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
        "æ": "ae",
        "œ": "oe",
    }
)
# The values of a row's data are looked at so deep.
_DEEP = 3


@dataclass(frozen=True)
class Sought:
    """One word or number of a question: a row has it if a term of it is in one of these ranges.

    A range is from its first (inclusive) to its second (exclusive), compared as bytes.
    """

    ranges: tuple[tuple[bytes, bytes], ...]


def words(text: str) -> Iterator[str]:
    """Yield the words of a text as they are compared."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    for word in _WORD.findall(plain.casefold().translate(_LETTERS)):
        yield word[:LONGEST_WORD]


def of_texts(texts: Iterable[str]) -> frozenset[bytes]:
    """Return the terms of these texts, the first MOST_TERMS of them."""
    terms: dict[bytes, None] = {}
    for text in texts:
        found = [word.encode() for word in words(text)]
        if (number := _NUMBER.fullmatch(text.strip())) is not None:
            found += of_number(number[0])
        for term in found:
            terms[term] = None
            if len(terms) == MOST_TERMS:
                return frozenset(terms)
    return frozenset(terms)


def of_data(data: Any, deep: int = 0) -> Iterator[str]:
    """Yield the texts and numbers in the data of an event, a JSON value."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, int | float) and not isinstance(data, bool):
        yield str(data)
    elif deep < _DEEP and isinstance(data, dict):
        for value in data.values():
            yield from of_data(value, deep + 1)
    elif deep < _DEEP and isinstance(data, list):
        for value in data:
            yield from of_data(value, deep + 1)


def of_number(text: str | None) -> frozenset[bytes]:
    """Return the terms of a phone number. A short one, such as an extension, is a word."""
    digits = _digits(text or "")
    if len(digits) < NUMBER:
        return frozenset(word.encode() for word in words(text or ""))
    return frozenset([_reversed(digits)])


def sought(text: str) -> list[Sought]:
    """Return what somebody looks for: a row must have all of it. Empty: there is no word in it.

    Raises ValueError if there are too many words.
    """
    found: list[Sought] = []
    rest = text
    for match in list(_NUMBER.finditer(text)):
        digits = _digits(match[0])
        if len(digits) >= NUMBER:
            found.append(_sought_number(digits, match[0]))
            rest = rest.replace(match[0], " ", 1)
    found += [Sought((_beginning(word.encode()),)) for word in words(rest)]
    found = list(dict.fromkeys(found))
    if len(found) > MOST_SOUGHT:
        raise ValueError(f"must have at most {MOST_SOUGHT} words")
    return found


def _sought_number(digits: str, written: str) -> Sought:
    term = _reversed(digits)
    ranges = [_beginning(term)]
    # A row may have the number without its country code.
    for length in range(_NATIONAL, len(term) - 1):
        shorter = term[: length + 1]
        ranges.append((shorter, shorter + b"\x00"))
    # In a title, digits are a word.
    ranges += [_beginning(word.encode()) for word in [*words(written)][:1] if word == digits]
    return Sought(tuple(ranges))


def _beginning(term: bytes) -> tuple[bytes, bytes]:
    return term, term + b"\xff"


def _digits(text: str) -> str:
    """Return the digits without the zeros of 00, of a trunk prefix, and without +."""
    plain = unicodedata.normalize("NFKC", text)
    return re.sub(r"[^0-9]", "", plain).lstrip("0")


def _reversed(digits: str) -> bytes:
    return (_SIGN + digits[::-1][:_LONGEST_NUMBER]).encode()
