"""Texts with `{placeholders}`: plain names, put in as plain text, never evaluated.

A name is a key of the event's data: letters of any language, digits, and `_`, `-`, `.` and spaces
within. `{doc_name|your doctor}` has words of its own for when there is no value.
"""

import re
from collections.abc import Mapping

# A name like doc_name. Anything else in braces is left as it stands. The look behind keeps the time
# linear: a run of spaces is looked at once.
_PLACEHOLDER = re.compile(r"(?<![ \t])[ \t]*\{ {0,9}([^\W\d][\w .-]{0,63})(?:\|([^{}|]{0,500}))?\}")

LONGEST_VALUE = 500
LONGEST_TEXT = 10_000


def fill(text: str, values: Mapping[str, object], longest: int = LONGEST_TEXT) -> str:
    """`text` with its placeholders put in; one without a value is left out, not read aloud.

    What a value holds is not looked at again, so a value with braces in it stays as it is. A
    value counts for its first LONGEST_VALUE characters, the whole for its first `longest`.
    """
    left = longest

    def put_in(match: re.Match[str]) -> str:
        nonlocal left
        name = match[1].rstrip()
        value = values[name] if _has(values, name) else match[2]
        if value is None:
            return ""  # and the space before it: "Hello {name}, ..." becomes "Hello, ..."
        said = str(value)[: min(LONGEST_VALUE, left)]
        left -= len(said)
        return match[0][: match[0].index("{")] + said

    filled = _PLACEHOLDER.sub(put_in, text[:longest])[:longest]
    return re.sub(r"[ \t]{2,}", " ", filled).strip()


def speakable(text: str, values: Mapping[str, object]) -> str:
    """`text`, filled, to be read aloud: nothing, where no word is left in it ("{greeting}.")."""
    filled = fill(text, values)
    return filled if re.search(r"\w", filled) else ""


def lacking(text: str, values: Mapping[str, object]) -> list[str]:
    """The placeholders of `text` that have neither a value nor words of their own."""
    found = {name.rstrip(): None for name, own in _PLACEHOLDER.findall(text) if not own}
    return [name for name in found if not _has(values, name)]


def _has(values: Mapping[str, object], name: str) -> bool:
    """Whether there is something to say: no list or object, which nobody would understand."""
    value = values.get(name)
    return value is not None and not isinstance(value, dict | list)
