"""Alarms by telephone: dialing places a call, and its survey is spoken.

What a call says is its survey (`telealarm/survey/`); how it is placed, `telealarm/dialing/`.
"""

from telealarm import i18n
from telealarm.methods.base import AlarmMethod


class CallMethod(AlarmMethod):
    """The recipient is called, and hears a survey."""

    number = 1
    name = title = "call"
    uses_channel = True

    @property
    def no_address(self) -> str:
        return "must not be empty"

    def missed_text(self, language: str | None) -> str:
        return i18n.of(language).written.failure.call_missed


METHOD = CallMethod()
