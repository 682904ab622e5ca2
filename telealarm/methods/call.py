"""Alarms by telephone: a call is placed, and its survey is spoken.

`telealarm/dialing/` places the call. `telealarm/survey/` speaks the survey.
"""

from telealarm import i18n
from telealarm.methods.base import AlarmMethod


class CallMethod(AlarmMethod):
    """The recipient gets a call and hears a survey."""

    number = 1
    name = title = "call"
    uses_channel = True

    @property
    def no_address(self) -> str:
        return "must not be empty"

    def missed_text(self, language: str | None) -> str:
        return i18n.of(language).written.failure.call_missed


METHOD = CallMethod()
