"""The survey as a small explicit machine. It knows nothing of Asterisk, of rows, or of time.

It is told what happened and answers with commands that are to be carried out in order:

    begin             the call has come to the survey
    heard             what was to be said came to its end
    keyed             a key was pressed, whenever that was; no command: let it be said on
    timed_out         no key came while it listened
    done              an act came to its end, so or so

A section without a branching goes on to the next by `order`. One that has branchings, of which
none fits what happened, ends the call.
"""

from collections.abc import Iterable
from enum import Enum, auto

from telealarm.survey.commands import (
    FAILED,
    GOODBYE,
    INVALID_KEY,
    NO_AGENT,
    NO_ANSWER,
    NO_ONE,
    NOTHING,
    TAKEN,
    Act,
    Command,
    Enter,
    HangUp,
    Keep,
    Listen,
    Say,
)
from telealarm.survey.ivr_step import IvrStep
from telealarm.words import ANSWERED_BY_KEYS, SectionType

# Done when their script has been heard, which a key may cut.
_AFTER_SCRIPT = {SectionType.RECORD_MESSAGE, SectionType.CALL_TRANSFER, SectionType.CONFERENCE}
# Done as soon as they are reached: whoever hangs up during the script has decided already.
_AT_ONCE = {SectionType.DO_NOT_CALL, SectionType.SMS}

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
        self._sections = {section.id: section for section in sections}
        self._order = list(self._sections)
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
        if self._state is _State.ACTING and section.type in _AFTER_SCRIPT:
            return [Act(section.id)]
        return self._enter(section.id, self._lap)

    def heard(self) -> list[Command]:
        """What was said last came to its end."""
        section = self._section()
        if section is None:
            return [HangUp()]
        if self._state is _State.GIVING_UP or section.type is SectionType.HANG_UP:
            return self._close(None)
        if section.type in ANSWERED_BY_KEYS:
            return self._answer_ahead(section) or self._listen(section)
        if section.type in _AFTER_SCRIPT:
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
        if section.type in ANSWERED_BY_KEYS:
            lost = self._wrong >= _PATIENCE or not section.begins(key)
            return [] if self._state is _State.GIVING_UP and lost else self._read(section, key)
        # Whoever presses a key has heard enough. After a message it may be an answer already.
        if section.type not in _AFTER_SCRIPT:
            self._remember(key)
        return self.heard()

    def timed_out(self) -> list[Command]:
        """Nobody pressed a key in time."""
        section = self._section()
        if section is None:
            return [HangUp()]
        if self._typed:
            return self._judge(section)
        if self._lap < section.retries:
            return self._enter(section.id, self._lap + 1)
        return self._leave(section, "timeout")

    def done(self, how: str) -> list[Command]:
        """What the section is for is done; `how` it went decides where the survey goes."""
        section = self._section()
        if section is None:
            return [HangUp()]
        self._state = _State.ASKING
        if section.type in _AT_ONCE:
            return [Say(section=section.id)]
        transfers = section.type is SectionType.CALL_TRANSFER
        if how == TAKEN and transfers and not section.branches:
            # One side's hang-up ends both, unless the survey says what comes after the talk.
            return self._close(None)
        if how not in (NO_ONE, FAILED, NOTHING):
            return self._leave(section)
        if self._lap < section.retries:
            return self._enter(section.id, self._lap + 1)
        told = [Say(text=NO_AGENT)] if transfers else []
        return [*told, *self._leave(section, "invalid" if how == FAILED else "timeout")]

    def _section(self) -> IvrStep | None:
        return None if self._at is None else self._sections[self._at]

    def _enter(self, section_id: int, lap: int) -> list[Command]:
        section = self._sections[section_id]
        if section_id != self._at:
            self._wrong = 0
        self._entered += 1
        if self._entered > _ENOUGH:
            return self._close(GOODBYE)
        self._at, self._lap, self._state, self._typed = section_id, lap, _State.ASKING, ""
        entered = Enter(section_id, lap)
        if section.type in _AT_ONCE:
            self._state = _State.ACTING
            return [entered, Act(section_id)]
        if section.type in ANSWERED_BY_KEYS:
            return [entered, *(self._answer_ahead(section) or [Say(section=section_id)])]
        return [entered, Say(section=section_id)]

    def _listen(self, section: IvrStep) -> list[Command]:
        least = _NEXT_SECONDS if self._typed else LEAST_SECONDS
        return [Listen(max(section.timeout_seconds, least))]

    def _answer_ahead(self, section: IvrStep) -> list[Command]:
        """What follows from the keys that were pressed ahead; nothing, if they are no answer."""
        read: list[Command] = []
        while self._ahead:
            key = self._ahead.pop(0)
            if self._belongs_to_last(key) or not (self._typed or section.begins(key)):
                continue
            read = self._read(section, key)
            if not isinstance(read[-1], Listen):
                break
        return read

    def _remember(self, key: str) -> None:
        if len(self._ahead) < _AHEAD:
            self._ahead.append(key)

    def _belongs_to_last(self, key: str) -> bool:
        whole, self._whole = self._whole, False
        return whole and key == "#"

    def _read(self, section: IvrStep, key: str) -> list[Command]:
        """A key that is, or begins, or goes on with, or ends an answer; or a wrong one."""
        self._state = _State.ASKING
        if section.spells and key == "#":
            return self._judge(section)
        self._typed = "" if section.spells and key == "*" else self._typed + key
        if not self._typed or section.may_go_on(self._typed):
            return self._listen(section)
        self._whole = key != "#"
        return self._judge(section)

    def _judge(self, section: IvrStep) -> list[Command]:
        typed, self._typed = self._typed, ""
        return self._answer(section, typed) if section.takes(typed) else self._invalid(section)

    def _answer(self, section: IvrStep, response: str) -> list[Command]:
        following = self._following(section, response, "any")
        rating = section.type is SectionType.RATING
        answered: list[Command] = [Keep(section.id, response, rating, following)]
        if self._confirms:
            answered.append(Say(section=section.id, answer=response))
        if following is None:
            return [*answered, *self._close(GOODBYE)]
        return [*answered, *self._enter(following, 0)]

    def _invalid(self, section: IvrStep) -> list[Command]:
        self._wrong += 1
        if self._lap < section.retries:
            return [Say(text=INVALID_KEY), *self._enter(section.id, self._lap + 1)]
        if "invalid" in section.branches or self._wrong >= _PATIENCE:
            return self._leave(section, "invalid")
        # No lap is left, but a slip of the finger is not an answer: one more chance to key.
        return [Say(text=INVALID_KEY)]

    def _leave(self, section: IvrStep, *hows: str) -> list[Command]:
        """Go where the section leads without an answer: after a message, or for want of a key."""
        asks = section.type in ANSWERED_BY_KEYS
        following = self._following(section, *hows, *(() if asks else ("0", "any")))
        if following is not None:
            return self._enter(following, 0)
        if not asks:
            return self._close(None)
        self._state = _State.GIVING_UP
        return [Say(text=NO_ANSWER)]

    def _following(self, section: IvrStep, *hows: str) -> int | None:
        for how in hows:
            if how in section.branches:
                return section.branches[how]
        if section.branches:
            return None
        place = self._order.index(section.id) + 1
        return self._order[place] if place < len(self._order) else None

    def _close(self, text: str | None) -> list[Command]:
        self._at, self._state = None, _State.OVER
        last: list[Command] = [Say(text=text)] if text else [HangUp()]
        return [Enter(None, 0), *last]
