"""Asks for a number from 1 to rating_laps. The answer is the alarm's result."""

from telealarm.rules.key_answers import KeyAnswers, ListedKeys
from telealarm.rules.survey_graph import Flow
from telealarm.sections.key_labels import KeyLabels

_MOST = 99
# The alarm results that have texts of their own.
_RESULTS = ("1", "2", "3")


class Rating(KeyLabels):
    number = 3
    word = "rating"
    flow = Flow.ASK
    needs_script = True
    rates = True

    rating_laps: int = 9
    """A rating accepts the numbers from 1 to this one."""

    def answers(self) -> KeyAnswers:
        return ListedKeys.of(range(1, self.rating_laps + 1))

    def mistakes(self) -> list[str]:
        if 1 <= self.rating_laps <= _MOST:
            return []
        return [f"rating_laps must lie between 1 and {_MOST}"]

    def read_back(self, answer: str) -> tuple[str, dict[str, str]]:
        if answer in self.labels() or answer not in _RESULTS:
            return super().read_back(answer)
        return f"rating_{answer}", {}


SECTION = Rating
