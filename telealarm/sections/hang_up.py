"""Ends the call."""

from telealarm.rules.survey_graph import Flow
from telealarm.sections.base import SectionType


class HangUp(SectionType):
    number = 7
    word = "hang up"
    flow = Flow.END


SECTION = HangUp
