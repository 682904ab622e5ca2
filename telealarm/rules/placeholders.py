"""Texts with `{placeholders}`: plain names. Values are put in as plain text, never evaluated.

A name is a key of the event's data: letters of any language, digits, and `_`, `-`, `.` and spaces
within. `{doc_name|your doctor}` has a default, used if there is no value.
"""

import re
from collections.abc import Mapping

# A name like doc_name. Anything else in braces stays as it is. The lookbehind keeps the time
# linear: each run of spaces is tried once.
_PLACEHOLDER = re.compile(r"(?<![ \t])[ \t]*\{ {0,9}([^\W\d][\w .-]{0,63})(?:\|([^{}|]{0,500}))?\}")

LONGEST_VALUE = 500
LONGEST_TEXT = 10_000


def fill(text: str, values: Mapping[str, object], longest: int = LONGEST_TEXT) -> str:
    """Return `text` with its placeholders filled in. A placeholder without a value is left out.

    Values are not searched for placeholders: a value with braces in it stays as it is. Of a value
    the first LONGEST_VALUE characters are used, of the whole text the first `longest`.
    """
    left = longest

    def put_in(match: re.Match[str]) -> str:
        nonlocal left
        name = match[1].rstrip()
        value = values[name] if _has(values, name) else match[2]
        if value is None:
            return ""  # and the space before it: "Hello {name}, ..." becomes "Hello, ..."
        shown = str(value)[: min(LONGEST_VALUE, left)]
        left -= len(shown)
        return match[0][: match[0].index("{")] + shown

    filled = _PLACEHOLDER.sub(put_in, text[:longest])[:longest]
    return re.sub(r"[ \t]{2,}", " ", filled).strip()


def speakable(text: str, values: Mapping[str, object]) -> str:
    """Return the filled `text` for speech; empty if it has no word left ("{greeting}.")."""
    filled = fill(text, values)
    return filled if re.search(r"\w", filled) else ""


def lacking(text: str, values: Mapping[str, object]) -> list[str]:
    """Return the placeholders of `text` that have neither a value nor a default."""
    names = {name.rstrip(): None for name, default in _PLACEHOLDER.findall(text) if not default}
    return [name for name in names if not _has(values, name)]


def _has(values: Mapping[str, object], name: str) -> bool:
    """Return whether there is a value to speak. A list or an object is none."""
    value = values.get(name)
    return value is not None and not isinstance(value, dict | list)
