"""How an SMS is counted: its encoding and its segments (3GPP TS 23.038, 23.040)."""

from dataclasses import dataclass

GSM, UCS2 = "GSM-7", "UCS-2"

# TS 23.038 6.2.1: the default alphabet, and the characters that take an escape before them.
_ALPHABET = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")

# Units of a single SMS, and of each part of a longer SMS, whose header needs space too: septets
# of GSM-7, 16-bit units of UCS-2.
_ALONE = {GSM: 160, UCS2: 70}
_PART = {GSM: 153, UCS2: 67}

# Networks join this many segments without trouble.
MOST_SEGMENTS = 10


@dataclass(frozen=True)
class Size:
    """The size of a text. The sender pays for `segments`."""

    encoding: str
    segments: int


def size(text: str) -> Size:
    """Return the encoding that `text` needs, and its segments. An empty text is one SMS.

    No character is split: an escape stays with its character, and surrogates stay in pairs.
    """
    encoding = _encoding(text)
    return Size(encoding, len(_parts(text, encoding)))


def cut(text: str, segments: int = MOST_SEGMENTS) -> str:
    """Return the part of `text` that fits into `segments` segments."""
    parts = _parts(text, _encoding(text))
    return "".join(parts[:segments])


def columns(text: str) -> dict[str, str | int]:
    """Return the columns of a message's row for its text: the part that fits, and its size."""
    text = cut(text)
    counted = size(text)
    return {"text": text, "encoding": counted.encoding, "segments": counted.segments}


def _encoding(text: str) -> str:
    return GSM if all(char in _ALPHABET or char in _EXTENSION for char in text) else UCS2


def _units(character: str, encoding: str) -> int:
    if encoding == GSM:
        return 2 if character in _EXTENSION else 1
    return 2 if ord(character) > 0xFFFF else 1


def _parts(text: str, encoding: str) -> list[str]:
    if sum(_units(char, encoding) for char in text) <= _ALONE[encoding]:
        return [text]
    parts, current, used = [], "", 0
    for char in text:
        units = _units(char, encoding)
        if used + units > _PART[encoding]:
            parts.append(current)
            current, used = "", 0
        current += char
        used += units
    return [*parts, current]
