"""Texts with `{placeholders}`: plain names, put in as plain text, never evaluated."""

import re
from collections.abc import Mapping

# A field name like doc_name. Anything else in braces is left as it stands.
_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]{0,63})\}")


def names(text: str) -> set[str]:
    """The placeholders that `text` asks for."""
    return set(_PLACEHOLDER.findall(text))


def fill(text: str, values: Mapping[str, object]) -> str:
    """`text` with its placeholders put in; one without a value is left out, not read aloud.

    What a value holds is not looked at again, so a value with braces in it stays as it is.
    """

    def put_in(match: re.Match[str]) -> str:
        value = values.get(match[1])
        return "" if value is None or isinstance(value, dict | list) else str(value)

    return re.sub(r"[ \t]{2,}", " ", _PLACEHOLDER.sub(put_in, text)).strip()
