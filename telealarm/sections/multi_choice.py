"""Asks a question. The keys with a label answer it."""

from telealarm.rules.key_answers import KeyAnswers, ListedKeys
from telealarm.rules.survey_graph import Flow
from telealarm.sections.key_labels import KeyLabels


class MultiChoice(KeyLabels):
    number = 2
    word = "multi choice"
    flow = Flow.ASK
    needs_script = True

    def answers(self) -> KeyAnswers:
        return ListedKeys.of(self.labels())

    def mistakes(self) -> list[str]:
        if self.labels():
            return []
        return ["a multi-choice needs keys; label at least one of key_0 to key_9"]


SECTION = MultiChoice
