"""Lets the callee join one of the manager's conferences."""

from typing import Annotated

from pydantic import Field

from telealarm.rules.survey_graph import Flow
from telealarm.sections.base import SectionType
from telealarm.sections.context import ActionResult, SectionContext
from telealarm.words import Words


class TimelineWord(Words):
    """`what` of a row of the timeline."""

    JOINED = "conference", "The callee is in the conference. `why` is its name."
    FAILED = "conference_failed", "The conference could not be joined."


class Response(Words):
    """`response` of a survey result."""

    JOINED = "joined", "The callee was in the conference."
    FAILED = "failed", "The conference could not be joined."


class Conference(SectionType):
    number = 8
    word = "conference"
    flow = Flow.ACT
    timeline = TimelineWord
    responses = Response

    conference: Annotated[str | None, Field(max_length=50)] = None
    """The name of the conference that the callee joins."""

    def mistakes(self) -> list[str]:
        if (self.conference or "").strip():
            return []
        return ["conference is empty; name the conference that is joined"]

    async def act(self, context: SectionContext) -> ActionResult:
        return ActionResult(await context.join_conference(self.conference or ""))


SECTION = Conference
