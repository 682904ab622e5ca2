"""Connects the callee with an agent. The agent is called, hears a text, and accepts the call."""

from typing import Annotated

from pydantic import Field

from telealarm.rules import phone
from telealarm.rules.survey_graph import Flow
from telealarm.sections.base import IsPhoneNumber, Lines, Pattern, SectionType
from telealarm.sections.context import ActionResult, Outcome, SectionContext
from telealarm.words import Words

# The name of our own text that the callee hears if no agent accepts the call.
NO_AGENT = "no-agent"


class TimelineWord(Words):
    """`what` of a row of the timeline."""

    CALLED = "transfer", "An agent is called. `why` names the number."
    TAKEN = "transfer_taken", "The agent has accepted the call."
    ENDED = "transfer_ended", "The talk with the agent is over. `why` says how long it was."
    FAILED = "transfer_failed", "No agent has accepted the call. `why` says what happened."


class Response(Words):
    """`response` of a survey result.

    It may also be a reason of a failed call, such as busy.
    """

    TAKEN = "taken", "An agent has accepted the call."
    NOT_TAKEN = "not_taken", "The agent picked up but did not press the key."
    NO_ANSWER = "no_answer", "No agent picked up."
    CONGESTION = "congestion", "The gateway had no room for the call to the agent."
    FAILED = "failed", "The agent could not be called."


class CallTransfer(SectionType):
    number = 6
    word = "call transfer"
    flow = Flow.ACT
    prompts = (NO_AGENT,)
    timeline = TimelineWord
    responses = Response
    counts = frozenset({Response.TAKEN})

    phonenumber: Annotated[str | None, Field(max_length=50), IsPhoneNumber()] = None
    """The agent's number. If it is empty, the alarm's `phonenumber_transfer` is called."""
    confirm_script: Annotated[str | None, Field(max_length=10_000), Lines()] = None
    """What the agent hears before accepting the call."""
    confirm_key: Annotated[
        str | None, Field(max_length=1), Pattern(r"[0-9*#]?", "must be a telephone key")
    ] = None
    """The key that accepts the call. If it is empty, the agent accepts the call by answering."""

    def mistakes(self) -> list[str]:
        number = phone.clean(self.phonenumber or "")
        if number and not phone.is_dialable(number):
            return ["phonenumber must be a phone number: digits with an optional leading +"]
        if self.confirm_key and not (self.confirm_script or "").strip():
            return ["confirm_script is empty; write what the agent hears, and which key to press"]
        return []

    def scripts(self) -> list[str]:
        return [self.confirm_script or ""]

    async def act(self, context: SectionContext) -> ActionResult:
        outcome = await context.transfer(
            phone.clean(self.phonenumber or ""), self.confirm_script or "", self.confirm_key or ""
        )
        # If one side hangs up, the call ends, unless branchings say what follows the talk.
        return ActionResult(outcome, ends_call=outcome is Outcome.DONE, says=NO_AGENT)


SECTION = CallTransfer
