"""The base class of section types. Each type has a file beside this one. No other code names it.

The fields of a type are the pydantic fields of its class: `int`, `bool`, `float`, `str` or
`Literal`. Each has a default and a docstring that explains it. Limits are given by
`Field(ge=.., le=.., min_length=.., max_length=..)` and by the marks below. The API accepts and
returns these fields beside the common fields of a section.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from telealarm.rules.key_answers import KeyAnswers
from telealarm.rules.survey_graph import Flow
from telealarm.sections.context import ActionResult, SectionContext
from telealarm.words import Words


@dataclass(frozen=True)
class Lines:
    """Marks a text that may have several lines."""


@dataclass(frozen=True)
class IsPhoneNumber:
    """Marks a text that is a telephone number, or empty."""


@dataclass(frozen=True)
class Pattern:
    """Marks a text that must match the whole `pattern`. `right` says what is correct."""

    pattern: str
    right: str


class SectionType(BaseModel):
    """One section of a survey, with the fields of its type. A row holds them in `settings`.

    number          the type's number in the API and in rows; it never changes
    word            the type's name for people
    flow            what happens in the section
    needs_script    the section needs a script or a recording
    rates           the answer is the alarm's result
    prompts         the names of our own texts that the section may speak
    timeline        the words that the action writes into the timeline
    responses       the survey results that the action writes
    counts          the responses that count as an answer of the callee, like a key
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    number: ClassVar[int]
    word: ClassVar[str]
    flow: ClassVar[Flow] = Flow.SAY
    needs_script: ClassVar[bool] = False
    rates: ClassVar[bool] = False
    prompts: ClassVar[tuple[str, ...]] = ()
    timeline: ClassVar[type[Words] | None] = None
    responses: ClassVar[type[Words] | None] = None
    counts: ClassVar[frozenset[str]] = frozenset()

    def answers(self) -> KeyAnswers | None:
        """Return the keys that answer the section. Only a type with the flow ASK has some."""
        return None

    def labels(self) -> Mapping[str, str]:
        """Return what each key means, in the manager's words."""
        return {}

    def mistakes(self) -> list[str]:
        """Return a sentence for each mistake. A survey with mistakes cannot be sealed."""
        return []

    def scripts(self) -> list[str]:
        """Return the texts that the action speaks, with placeholders.

        They are rendered before the call.
        """
        return []

    def texts(self) -> list[str]:
        """Return the texts that the action writes, with placeholders."""
        return []

    def longest_recording_seconds(self) -> int:
        """Return the greatest length of a message that the action records; 0: it records none."""
        return 0

    def read_back(self, answer: str) -> tuple[str, dict[str, str]]:
        """Return how to read back an answer: the name of our text, and its values."""
        label = self.labels().get(answer)
        return ("label", {"label": label}) if label else ("key", {"key": answer})

    async def act(self, context: SectionContext) -> ActionResult:
        """Run the section's action, if the flow is ACT or ACT_FIRST. Return its result.

        After a crash another session runs it again from the beginning.
        """
        raise NotImplementedError
