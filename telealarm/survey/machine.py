"""The survey as a small state machine. It knows nothing of Asterisk, rows or time.

Of a section type it knows only the flow. Each method reports what happened, and returns commands
to be carried out in order:

    begin             the call has reached the survey
    heard             the prompt has ended
    keyed             a key was pressed, at any time; no command: the prompt goes on
    timed_out         no key was pressed while the machine listened
    done              an action has ended, with its result

rules.survey_graph says where a section leads.
"""

from collections.abc import Iterable
from enum import Enum, auto

from telealarm.rules.key_answers import KeyAnswers
from telealarm.rules.survey_graph import INVALID, TIMEOUT, Flow, SurveyGraph
from telealarm.sections.context import ActionResult, Outcome
from telealarm.survey.commands import (
    GOODBYE,
    INVALID_KEY,
    NO_ANSWER,
    Act,
    Command,
    EndCall,
    Enter,
    KeepAnswer,
    Listen,
    Say,
)
from telealarm.survey.ivr_step import IvrStep

# The shortest wait for a key, and for the next digit of a number: nobody finds a key faster.
LEAST_SECONDS, _NEXT_SECONDS = 1.0, 2.0
# How many keys may be pressed before the section that takes them.
_AHEAD = 16
# After so many wrong keys in one section, the survey waits for no more.
_PATIENCE = 10
# After so many entered sections, the session is taken for an endless circle, and ends.
_ENOUGH = 500


class _State(Enum):
    ASKING = auto()  # a prompt is spoken, or a key is awaited
    ACTING = auto()  # the section's action runs
    GIVING_UP = auto()  # the callee hears that no answer came; an answer now still counts
    OVER = auto()


class Machine:
    """One call's way through the sections (in their order), from section `at` and `lap` on.

    `at` None: an earlier session reached the end. `acting`: it had begun the section's action.
    `confirms`: each answer is read back. `ahead`: keys that were pressed before.
    """

    def __init__(
        self,
        sections: Iterable[IvrStep],
        at: int | None,
        lap: int = 0,
        *,
        acting: bool = False,
        confirms: bool = False,
        ahead: str = "",
    ) -> None:
        self._graph = SurveyGraph(sections)
        self._at = at
        self._lap = lap
        self._state = _State.ACTING if acting else _State.ASKING
        self._confirms = confirms
        self._wrong = 0
        self._entered = 0
        self._ahead = list(ahead)
        # The digits so far, of an answer that may have several.
        self._typed = ""
        # The last answer was complete without `#`. A `#` that follows still belongs to it.
        self._whole = False

    def begin(self) -> list[Command]:
        """Return the commands to enter the survey, or the section of an earlier session."""
        section = self._section()
        if section is None:
            return self._close(None)
        if self._state is _State.ACTING and section.flow is Flow.ACT:
            return [Act(section.id)]
        return self._enter(section.id, self._lap)

    def heard(self) -> list[Command]:
        """Return the commands after a prompt has ended."""
        section = self._section()
        if section is None:
            return [EndCall()]
        if self._state is _State.GIVING_UP or section.flow is Flow.END:
            return self._close(None)
        if section.answers is not None:
            return self._answer_ahead(section, section.answers) or self._listen(section)
        if section.flow is Flow.ACT:
            self._state = _State.ACTING
            return [Act(section.id)]
        return self._leave(section)

    def keyed(self, key: str) -> list[Command]:
        """Return the commands after a key, pressed before, during or after a prompt.

        No command: the prompt goes on.
        """
        section = self._section()
        if section is None or self._belongs_to_last(key):
            return []
        if self._state is _State.ACTING:
            self._remember(key)
            return []
        if (answers := section.answers) is not None:
            lost = self._wrong >= _PATIENCE or not answers.begins(key)
            if self._state is _State.GIVING_UP and lost:
                return []
            return self._read(section, answers, key)
        # The key cuts the prompt. After a message it may already answer the next question.
        if section.flow is not Flow.ACT:
            self._remember(key)
        return self.heard()

    def timed_out(self) -> list[Command]:
        """Return the commands if no key was pressed in time."""
        section = self._section()
        if section is None:
            return [EndCall()]
        if self._typed and section.answers is not None:
            return self._judge(section, section.answers)
        if self._lap < section.retries:
            return self._enter(section.id, self._lap + 1)
        return self._leave(section, TIMEOUT)

    def done(self, result: ActionResult) -> list[Command]:
        """Return the commands after the section's action. Its result decides where they lead."""
        section = self._section()
        if section is None:
            return [EndCall()]
        self._state = _State.ASKING
        if section.flow is Flow.ACT_FIRST:
            return [Say(section=section.id)]
        if result.ends_call and not section.branches:
            return self._close(None)
        if result.outcome is Outcome.DONE:
            return self._leave(section)
        if self._lap < section.retries:
            return self._enter(section.id, self._lap + 1)
        sorry = [Say(text=result.says)] if result.says else []
        failed = result.outcome is Outcome.FAILED
        return [*sorry, *self._leave(section, INVALID if failed else TIMEOUT)]

    def _section(self) -> IvrStep | None:
        return None if self._at is None else self._graph[self._at]

    def _enter(self, section_id: int, lap: int) -> list[Command]:
        section = self._graph[section_id]
        if section_id != self._at:
            self._wrong = 0
        self._entered += 1
        if self._entered > _ENOUGH:
            return self._close(GOODBYE)
        self._at, self._lap, self._state, self._typed = section_id, lap, _State.ASKING, ""
        entered = Enter(section_id, lap)
        if section.flow is Flow.ACT_FIRST:
            self._state = _State.ACTING
            return [entered, Act(section_id)]
        if section.answers is not None:
            ahead = self._answer_ahead(section, section.answers)
            return [entered, *(ahead or [Say(section=section_id)])]
        return [entered, Say(section=section_id)]

    def _listen(self, section: IvrStep) -> list[Command]:
        least = _NEXT_SECONDS if self._typed else LEAST_SECONDS
        return [Listen(max(section.timeout_seconds, least))]

    def _answer_ahead(self, section: IvrStep, answers: KeyAnswers) -> list[Command]:
        """Return the commands for keys that were pressed ahead; none if they are no answer."""
        read: list[Command] = []
        while self._ahead:
            key = self._ahead.pop(0)
            if self._belongs_to_last(key) or not (self._typed or answers.begins(key)):
                continue
            read = self._read(section, answers, key)
            if not isinstance(read[-1], Listen):
                break
        return read

    def _remember(self, key: str) -> None:
        if len(self._ahead) < _AHEAD:
            self._ahead.append(key)

    def _belongs_to_last(self, key: str) -> bool:
        whole, self._whole = self._whole, False
        return whole and key == "#"

    def _read(self, section: IvrStep, answers: KeyAnswers, key: str) -> list[Command]:
        """Return the commands for a key that starts, continues or ends an answer, or is wrong."""
        self._state = _State.ASKING
        if answers.spells and key == "#":
            return self._judge(section, answers)
        self._typed = "" if answers.spells and key == "*" else self._typed + key
        if not self._typed or answers.may_go_on(self._typed):
            return self._listen(section)
        self._whole = key != "#"
        return self._judge(section, answers)

    def _judge(self, section: IvrStep, answers: KeyAnswers) -> list[Command]:
        typed, self._typed = self._typed, ""
        return self._answer(section, typed) if answers.takes(typed) else self._invalid(section)

    def _answer(self, section: IvrStep, response: str) -> list[Command]:
        following = self._graph.after_answer(section, response)
        answered: list[Command] = [KeepAnswer(section.id, response, section.rates, following)]
        if self._confirms:
            answered.append(Say(section=section.id, answer=response))
        if following is None:
            return [*answered, *self._close(GOODBYE)]
        return [*answered, *self._enter(following, 0)]

    def _invalid(self, section: IvrStep) -> list[Command]:
        self._wrong += 1
        if self._lap < section.retries:
            return [Say(text=INVALID_KEY), *self._enter(section.id, self._lap + 1)]
        if INVALID in section.branches or self._wrong >= _PATIENCE:
            return self._leave(section, INVALID)
        # No lap is left. But a mistyped key is no answer: the callee may try once more.
        return [Say(text=INVALID_KEY)]

    def _leave(self, section: IvrStep, *hows: str) -> list[Command]:
        """Return the commands to leave a section without an answer.

        A message has ended, or no valid key was pressed.
        """
        following = self._graph.after(section, *hows)
        if following is not None:
            return self._enter(following, 0)
        if section.answers is None:
            return self._close(None)
        self._state = _State.GIVING_UP
        return [Say(text=NO_ANSWER)]

    def _close(self, text: str | None) -> list[Command]:
        self._at, self._state = None, _State.OVER
        last: list[Command] = [Say(text=text)] if text else [EndCall()]
        return [Enter(None, 0), *last]
