"""What a section type is. Each has a file beside this one, and nothing else names it.

The fields of a type are the fields of its class, as pydantic has them: `int`, `bool`, `float`,
`str` or `Literal`, each with a default, with `Field(ge=.., le=.., min_length=.., max_length=..)`
for its limits and the marks below, and a docstring that says what it is. The API reads and shows
them flat beside the common ones.
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
class PhoneNumber:
    """Marks a text that is a telephone number, or empty."""


@dataclass(frozen=True)
class Pattern:
    """Marks a text that must match `pattern` as a whole; `right` says what would."""

    pattern: str
    right: str


class SectionType(BaseModel):
    """One section of a survey, with the fields of its type. Rows hold those as `settings`.

    number          how the API and the rows name the type; never changed
    word            the same for people
    flow            what happens in it
    needs_script    it makes no sense without words or a recording
    rates           its answer is the alarm's result
    prompts         names of our own texts that it may say
    timeline        the words that its action writes into the timeline
    responses       the survey results that its action writes
    counts          those of them that are an answer of the callee, as a key is
    """

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

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
        """Which keys answer it. A type whose flow is ASK takes some, another none."""
        return None

    def labels(self) -> Mapping[str, str]:
        """What its keys mean, in the manager's words."""
        return {}

    def mistakes(self) -> list[str]:
        """What is wrong with it, a sentence each; the survey is not sealed then."""
        return []

    def scripts(self) -> list[str]:
        """Texts that its action speaks, with placeholders. They are rendered before the call."""
        return []

    def texts(self) -> list[str]:
        """Texts that its action writes, with placeholders."""
        return []

    def longest_recording_seconds(self) -> int:
        """How long a message may be that its action records."""
        return 0

    def read_back(self, answer: str) -> tuple[str, dict[str, str]]:
        """What an answer is called when it is spoken back: the text's name, and its values."""
        label = self.labels().get(answer)
        return ("label", {"label": label}) if label else ("key", {"key": answer})

    async def act(self, context: SectionContext) -> ActionResult:
        """Do what it is for, if the flow is ACT or ACT_FIRST.

        After a crash another session does it again from its beginning.
        """
        raise NotImplementedError
