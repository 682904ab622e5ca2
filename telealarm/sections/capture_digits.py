"""Asks for a number of several digits."""

from typing import Annotated

from pydantic import Field

from telealarm.rules.key_answers import KeyAnswers, Number
from telealarm.rules.survey_graph import Flow
from telealarm.sections.base import SectionType


class CaptureDigits(SectionType):
    number = 4
    word = "capture digits"
    flow = Flow.ASK
    needs_script = True

    validate_number: bool = True
    """Whether captured digits must lie within `min_number` and `max_number`."""
    number_digits: Annotated[int, Field(ge=1, le=50)] = 2
    """The greatest number of digits that are captured."""
    min_number: int = 0
    """The least number that is accepted."""
    max_number: int = 99
    """The greatest number that is accepted."""

    def answers(self) -> KeyAnswers:
        if not self.validate_number:
            return Number(self.number_digits)
        return Number(self.number_digits, self.min_number, self.max_number)

    def mistakes(self) -> list[str]:
        if not self.validate_number:
            return []
        if self.min_number > self.max_number:
            return ["min_number is greater than max_number; no number would do"]
        if self.max_number < 0 or self.min_number >= 10**self.number_digits:
            return ["no number of number_digits digits lies between min_number and max_number"]
        return []

    def read_back(self, answer: str) -> tuple[str, dict[str, str]]:
        return "number", {"number": " ".join(answer)}


SECTION = CaptureDigits
