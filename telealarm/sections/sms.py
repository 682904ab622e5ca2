"""Sends an SMS to the callee."""

from typing import Annotated

from pydantic import Field

from telealarm.rules.survey_graph import Flow
from telealarm.sections.base import Lines, SectionType
from telealarm.sections.context import ActionResult, SectionContext
from telealarm.words import Words


class TimelineWord(Words):
    """`what` of a row of the timeline."""

    NOT_SENT = "sms_not_sent", "No SMS was sent: the calendar setting names no sms_gateway."


class Response(Words):
    """`response` of a survey result."""

    QUEUED = "queued", "The SMS is in the outbox."
    NOT_SENT = "not_sent", "No SMS was sent."


class Sms(SectionType):
    number = 10
    word = "sms"
    flow = Flow.ACT_FIRST
    timeline = TimelineWord
    responses = Response

    sms_text: Annotated[str | None, Field(max_length=1000), Lines()] = None
    """The text of the SMS to the callee, with placeholders."""

    def mistakes(self) -> list[str]:
        if (self.sms_text or "").strip():
            return []
        return ["sms_text is empty; write what is to be sent"]

    def texts(self) -> list[str]:
        return [self.sms_text or ""]

    async def act(self, context: SectionContext) -> ActionResult:
        await context.send_sms(self.sms_text or "")
        return ActionResult()


SECTION = Sms
