"""Recurrence: from the text of a rule to the starts of an event (RFC 5545 3.3.10)."""

from telealarm.rules.recurrence.rule import Frequency, Recurrence, Weekday
from telealarm.rules.recurrence.series import Occurrence, Series, check
from telealarm.rules.recurrence.text import parse

__all__ = [
    "Frequency",
    "Occurrence",
    "Recurrence",
    "Series",
    "Weekday",
    "check",
    "parse",
]
