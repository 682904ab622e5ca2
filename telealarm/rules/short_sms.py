"""Texts of SMS that should cost one segment."""

import unicodedata
from collections.abc import Mapping

from telealarm.rules import placeholders, sms_segments

# The title is cut no shorter than this.
_SHORTEST_TITLE = 12
# What people's keyboards write, and what the alphabet of an SMS has for it.
_TYPED = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-"}
    | {"\u2026": "...", "\u00a0": " ", "\u00ab": '"', "\u00bb": '"'}
)


def fill(text: str, values: Mapping[str, object]) -> str:
    """Return the filled text, in one segment if that is possible.

    If the text is too long, it loses the accents that the SMS alphabet lacks ("sábado", "março"),
    and then the end of the title. If both do not help, it stays whole.
    """
    whole = placeholders.fill(text, values)
    title = str(values.get("title") or "")
    plain = _plain(whole)
    if (short := next(filter(_is_short, (whole, plain)), None)) is not None:
        return short
    for length in range(len(title) - 1, _SHORTEST_TITLE - 1, -1):
        cut = title[:length].rstrip() + "..."
        short = _plain(placeholders.fill(text, {**values, "title": cut}))
        if _is_short(short):
            return short
    return whole


def _is_short(text: str) -> bool:
    return sms_segments.size(text).segments == 1


def _plain(text: str) -> str:
    """Return `text` in GSM-7 without the accents that it lacks; unchanged if other signs remain."""
    letters = (
        letter
        if sms_segments.size(letter).encoding == sms_segments.GSM
        else unicodedata.normalize("NFD", letter)[0]
        for letter in text.translate(_TYPED)
    )
    plain = "".join(letters)
    return plain if sms_segments.size(plain).encoding == sms_segments.GSM else text
