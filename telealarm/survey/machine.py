"""The survey as a small explicit machine. It knows nothing of Asterisk, of rows, or of time, and
of section types only which flow each has.

It is told what happened and answers with commands that are to be carried out in order:

    begin             the call has come to the survey
    heard             what was to be said came to its end
    keyed             a key was pressed, whenever that was; no command: let it be said on
    timed_out         no key came while it listened
    done              an action came to its end, so or so

Where a section leads is in rules.survey_graph.
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
    Enter,
    HangUp,
    Keep,
    Listen,
    Say,
)
from telealarm.survey.ivr_step import IvrStep

# Nobody finds a key faster, nor the next one of a number, whatever the survey's timeout is.
LEAST_SECONDS, _NEXT_SECONDS = 1.0, 2.0
# Keys that may be pressed ahead of the section that takes them.
_AHEAD = 16
# Wrong keys in one section, after which nobody waits for a right one any more.
_PATIENCE = 10
# Sections entered in one session, after which it is a circle that nobody wants to hear.
_ENOUGH = 500


class _State(Enum):
    ASKING = auto()  # something is said, or a key is waited for
    ACTING = auto()  # what the section is for is being done
    GIVING_UP = auto()  # that no answer came is said; one that comes now is taken yet
    OVER = auto()


class Machine:
    """One call's way through the sections (in their order), from section `at` and `lap` on.

    `at` None: an earlier session came to the end. `acting`: it had begun to do what its section is
    for. `confirms`: each answer is spoken back. `ahead` are keys that were pressed already.
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
        # What was keyed of an answer that may have several digits.
        self._typed = ""
        # Something was keyed that needs no `#`; one that comes next still belongs to it.
        self._whole = False

    def begin(self) -> list[Command]:
        """Enter the survey, or the section that an earlier session was in."""
        section = self._section()
        if section is None:
            return self._close(None)
        if self._state is _State.ACTING and section.flow is Flow.ACT:
            return [Act(section.id)]
        return self._enter(section.id, self._lap)

    def heard(self) -> list[Command]:
        """What was said last came to its end."""
        section = self._section()
        if section is None:
            return [HangUp()]
        if self._state is _State.GIVING_UP or section.flow is Flow.END:
            return self._close(None)
        if section.answers is not None:
            return self._answer_ahead(section, section.answers) or self._listen(section)
        if section.flow is Flow.ACT:
            self._state = _State.ACTING
            return [Act(section.id)]
        return self._leave(section)

    def keyed(self, key: str) -> list[Command]:
        """A key was pressed, before, during or after what is said. Nothing: let it be said on."""
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
        # Whoever presses a key has heard enough. After a message it may be an answer already.
        if section.flow is not Flow.ACT:
            self._remember(key)
        return self.heard()

    def timed_out(self) -> list[Command]:
        """Nobody pressed a key in time."""
        section = self._section()
        if section is None:
            return [HangUp()]
        if self._typed and section.answers is not None:
            return self._judge(section, section.answers)
        if self._lap < section.retries:
            return self._enter(section.id, self._lap + 1)
        return self._leave(section, TIMEOUT)

    def done(self, result: ActionResult) -> list[Command]:
        """The section's action is done; what it came to decides where the survey goes."""
        section = self._section()
        if section is None:
            return [HangUp()]
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
        """What follows from the keys that were pressed ahead; nothing, if they are no answer."""
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
        """A key that is, or begins, or goes on with, or ends an answer; or a wrong one."""
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
        answered: list[Command] = [Keep(section.id, response, section.rates, following)]
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
        # No lap is left, but a slip of the finger is not an answer: one more chance to key.
        return [Say(text=INVALID_KEY)]

    def _leave(self, section: IvrStep, *hows: str) -> list[Command]:
        """Go where the section leads without an answer: after a message, or for want of a key."""
        following = self._graph.after(section, *hows)
        if following is not None:
            return self._enter(following, 0)
        if section.answers is None:
            return self._close(None)
        self._state = _State.GIVING_UP
        return [Say(text=NO_ANSWER)]

    def _close(self, text: str | None) -> list[Command]:
        self._at, self._state = None, _State.OVER
        last: list[Command] = [Say(text=text)] if text else [HangUp()]
        return [Enter(None, 0), *last]
