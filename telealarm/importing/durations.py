"""Durations of an iCalendar file (RFC 5545 3.3.6): days of the calendar and exact seconds."""

import re
from dataclasses import dataclass
from datetime import timedelta

_DURATION = re.compile(
    r"([+-]?)P(?:(\d{1,5})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,9})S)?)?",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True)
class Duration:
    """`days` keep the wall clock, `seconds` are elapsed. Both have the sign of the duration."""

    days: int
    seconds: int

    @property
    def length(self) -> timedelta:
        return timedelta(days=self.days, seconds=self.seconds)


def parse(text: str) -> Duration:
    """Return the duration. Raises ValueError with a message that says what would be right."""
    match = _DURATION.fullmatch(text.strip())
    if match is None or not any(match.groups()[1:]):
        raise ValueError(f"{text!r} is no duration; write it like -PT15M or -P1D")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
    sign = -1 if match[1] == "-" else 1
    return Duration(sign * (7 * weeks + days), sign * (3600 * hours + 60 * minutes + seconds))
