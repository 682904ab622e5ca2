"""Texts from outside: whether a text is safe to store, and how to make it safe."""

import re

# Control characters and halves of surrogate pairs. In a text with several lines, tabs and line
# breaks are allowed.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNSAFE_IN_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def safe(text: str, *, lines: bool = False) -> bool:
    """Return whether `text` has no control characters. `lines` allows tabs and line breaks."""
    return not (_UNSAFE_IN_LINES if lines else _UNSAFE).search(text)


def kept(text: str, longest: int) -> str:
    """Return `text` on one line, at most `longest` characters.

    Control characters and halves of surrogate pairs are removed: not every database stores them.
    """
    return "".join(char if char.isprintable() else " " for char in text[:longest]).strip()
