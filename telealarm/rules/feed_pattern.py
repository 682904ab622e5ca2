"""Regular expressions of a calendar feed: which are quick enough, and what they find.

A pattern is a manager's, and the texts are a stranger's. A match holds the whole process while it
runs, so both are kept short: a search takes some million steps at most.
"""

import re
from collections.abc import Iterable, Iterator

from telealarm.rules import phone

# A number as people write it: +34 600 100 200, 0043 (1) 234-56-78.
DEFAULT_NUMBER = r"\+?[0-9][0-9 ()./-]{5,18}[0-9]"
RIGHT = (
    "must be a quick regular expression: no repeated group, no back reference, two repeats at the"
    " most, of 50 at the most or one without end, and six ? or | at the most"
)
# A line is cut to this length. An event has so many lines at most.
_LONGEST_LINE, _MOST_LINES = 300, 200

_COSTLY = re.compile(r"\)[*+{?]|\\[0-9]|\(\?[^:]|[*+}?][*+{]")
_REPEAT = re.compile(r"[*+]|\{[^}]*\}")
_CHOICE = re.compile(r"[?|]")
_MOST_REPEATS, _MOST_CHOICES, _LONGEST_REPEAT = 2, 6, 50


def is_quick(pattern: str) -> bool:
    """Return whether `pattern` is a regular expression that is searched quickly."""
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    plain = re.sub(r"\\[^0-9]|\[\^?\]?[^\]]*\]", "x", pattern)
    repeats = _REPEAT.findall(plain)
    endless = [repeat for repeat in repeats if _most(repeat) is None]
    return (
        not _COSTLY.search(plain)
        and len(repeats) <= _MOST_REPEATS
        and len(endless) <= 1
        and all((_most(repeat) or 0) <= _LONGEST_REPEAT for repeat in repeats)
        and len(_CHOICE.findall(plain)) <= _MOST_CHOICES
    )


def _most(repeat: str) -> int | None:
    """Return how often a part may repeat; None: without end."""
    digits = re.fullmatch(r"\{(?:[0-9]*,)?([0-9]+)\}", repeat)
    return int(digits[1]) if digits else None


def finds(pattern: str, text: str) -> bool:
    """Return whether the pattern is somewhere in the text, in letters of any case."""
    return any(re.search(pattern, line, re.IGNORECASE) for line in _lines([text]))


def number(pattern: str, texts: Iterable[str]) -> str | None:
    """Return the first number that the pattern finds in the texts.

    If the pattern has a group, the number is the group. What cannot be dialled is passed over.
    """
    for line in _lines(texts):
        for match in re.finditer(pattern, line, re.IGNORECASE):
            found = phone.clean(match[1] if match.re.groups and match[1] else match[0])
            if phone.is_dialable(found):
                return found
    return None


def _lines(texts: Iterable[str]) -> Iterator[str]:
    left = _MOST_LINES
    for text in texts:
        for line in text.splitlines()[:left]:
            yield line[:_LONGEST_LINE]
            left -= 1
