"""Plays a message."""

from telealarm.sections.base import SectionType


class PlayMessage(SectionType):
    number = 1
    word = "play message"
    needs_script = True


SECTION = PlayMessage
