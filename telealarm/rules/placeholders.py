"""Texts with `{placeholders}`: plain names, put in as plain text, never evaluated."""

import re
from collections.abc import Mapping

# A field name like doc_name. Anything else in braces is left as it stands.
_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]{0,63})\}")


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
        value = values.get(match[1])
        if value is None or isinstance(value, dict | list):
            return ""
        said = str(value)[: min(LONGEST_VALUE, left)]
        left -= len(said)
        return said

    filled = _PLACEHOLDER.sub(put_in, text[:longest])[:longest]
    return re.sub(r"[ \t]{2,}", " ", filled).strip()


def lacking(text: str, values: Mapping[str, object]) -> list[str]:
    """The placeholders of `text` that have no value."""
    found = dict.fromkeys(_PLACEHOLDER.findall(text))
    return [
        name for name in found if values.get(name) is None or isinstance(values[name], dict | list)
    ]
