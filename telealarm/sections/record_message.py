"""Records a message of the callee."""

from typing import Annotated

from pydantic import Field

from telealarm.rules.survey_graph import Flow
from telealarm.sections.base import SectionType
from telealarm.sections.context import ActionResult, SectionContext
from telealarm.words import Words


class TimelineWord(Words):
    """`what` of a row of the timeline."""

    RECORDED = "recorded", "A message was recorded. `why` says how long it is."
    STORE_FULL = (
        "store_full",
        "The manager's audio store is full: a message was not recorded, or was cut short.",
    )
    DELETED = "recording_deleted", "The recorded message has reached recordings.keep_days."


class Response(Words):
    """`response` of a survey result."""

    RECORDED = "recorded", "A message was recorded."


class RecordMessage(SectionType):
    number = 5
    word = "record message"
    flow = Flow.ACT
    timeline = TimelineWord
    responses = Response

    recording_seconds: Annotated[int, Field(ge=1, le=600)] = 60
    """The greatest length of a recorded message, in seconds."""

    def longest_recording_seconds(self) -> int:
        return self.recording_seconds

    async def act(self, context: SectionContext) -> ActionResult:
        return ActionResult(await context.record(self.recording_seconds))


SECTION = RecordMessage
