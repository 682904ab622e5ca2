"""Texts of others: whether one is safe to keep, and one made safe."""

import re

# Control characters and halves of surrogate pairs; in a text of several lines, tab and line
# breaks are no control characters.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNSAFE_IN_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def safe(text: str, *, lines: bool = False) -> bool:
    """Whether `text` is free of control characters (several `lines` may have tabs and breaks)."""
    return not (_UNSAFE_IN_LINES if lines else _UNSAFE).search(text)


def kept(text: str, longest: int) -> str:
    """`text` on one line, up to `longest` characters, without control characters and halves of
    surrogate pairs, which not every database takes.
    """
    return "".join(one if one.isprintable() else " " for one in text[:longest]).strip()
