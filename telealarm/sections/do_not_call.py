"""Puts the callee's number on the manager's do-not-call list."""

from telealarm.rules.survey_graph import Flow
from telealarm.sections.base import SectionType
from telealarm.sections.context import ActionResult, SectionContext
from telealarm.words import Words


class TimelineWord(Words):
    """`what` of a row of the timeline."""

    BLOCKED = "do_not_call", "The callee asked not to be called again. `why` is the number."


class Response(Words):
    """`response` of a survey result."""

    ADDED = "added", "The number is on the list."


class DoNotCall(SectionType):
    number = 9
    word = "do not call"
    flow = Flow.ACT_FIRST
    timeline = TimelineWord
    responses = Response

    async def act(self, context: SectionContext) -> ActionResult:
        await context.block_number()
        return ActionResult()


SECTION = DoNotCall
