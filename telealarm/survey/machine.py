"""The survey as a small explicit machine. It knows nothing of Asterisk, of rows, or of time.

It is told what happened (`begin`, `heard`, `keyed`, `timed_out`, `done`) and answers with what is
to be done, in order:

    Say       speak a text; a key cuts it. Then `heard`, unless more is to be done.
    Listen    wait for a key so long. Then `keyed` or `timed_out`.
    Act       record, transfer, confer, ...: what the section is for. Then `done`.
    Keep      keep an answer, together with the section that follows it.
    Enter     the session is in this section and lap now; None: the survey is over.
    HangUp    end the call.

A section without a branching goes on to the next by `order`. One that has branchings, of which
none fits what happened, ends the call.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from telealarm.rules.states import ANSWERED_BY_KEYS, SectionType

# Texts of ours, by name, that every language has (sounds/prompts.yml).
INVALID_KEY, GOODBYE, NO_ANSWER = "invalid-key", "goodbye", "no-answer"
NO_AGENT = "no-agent"

# What an act can come to that decides where the survey goes; any other word is a success too.
TAKEN, NO_ONE, FAILED, NOTHING = "taken", "no_answer", "failed", "nothing"

# Done when their script has been heard, which a key may cut.
_AFTER_SCRIPT = {SectionType.RECORD_MESSAGE, SectionType.CALL_TRANSFER, SectionType.CONFERENCE}
# Done as soon as they are reached: whoever hangs up during the script has decided already.
_AT_ONCE = {SectionType.DO_NOT_CALL, SectionType.SMS}

# Keys that may be pressed ahead of the section that takes them.
_AHEAD = 16
# Wrong keys in one section, after which nobody waits for a right one any more.
_PATIENCE = 10
# Sections entered in one session, after which it is a circle that nobody wants to hear.
_ENOUGH = 500


@dataclass(frozen=True)
class Section:
    """What the machine must know of a section.

    `digits` is how long a captured number may be, `low` and `high` what it must lie between.
    """

    id: int
    type: SectionType
    keys: frozenset[str] = frozenset()
    retries: int = 0
    timeout_seconds: float = 5.0
    branches: Mapping[str, int | None] = field(default_factory=dict)
    digits: int = 0
    low: int | None = None
    high: int | None = None

    def takes(self, number: str) -> bool:
        """Whether `number` (digits) may be captured here."""
        if not 0 < len(number) <= self.digits:
            return False
        above = self.low is None or int(number) >= self.low
        return above and (self.high is None or int(number) <= self.high)


@dataclass(frozen=True)
class Say:
    """Speak the script of a section, or one of our own texts by its name, or, with an `answer`,
    what was understood as the answer to the section.
    """

    section: int | None = None
    text: str | None = None
    answer: str | None = None


@dataclass(frozen=True)
class Listen:
    seconds: float


@dataclass(frozen=True)
class Act:
    section: int


@dataclass(frozen=True)
class Keep:
    section: int
    response: str
    rating: bool
    following: int | None


@dataclass(frozen=True)
class Enter:
    section: int | None
    lap: int


@dataclass(frozen=True)
class HangUp:
    pass


Command = Say | Listen | Act | Keep | Enter | HangUp


class _State(Enum):
    SAYING = auto()
    LISTENING = auto()
    SAYING_INVALID = auto()
    LAST_CHANCE = auto()
    ACTING = auto()
    CLOSING = auto()


class Machine:
    """One call's way through the sections (in their order), from section `at` and `lap` on.

    `acting`: an earlier session had begun to do what that section is for. `confirms`: each answer
    is spoken back. `ahead` are keys that were pressed already.
    """

    def __init__(
        self,
        sections: Iterable[Section],
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
        self._acting = acting
        self._confirms = confirms
        self._wrong = 0
        self._entered = 0
        self._ahead = list(ahead)
        self._digits = ""
        # A number was complete without its `#`; one that comes next still belongs to it.
        self._full = False
        self._state = _State.SAYING

    def begin(self) -> list[Command]:
        """Enter the survey, or the section that an earlier session was in."""
        if self._at is None:
            return self._close(None)
        if self._acting and self._sections[self._at].type in _AFTER_SCRIPT:
            self._state = _State.ACTING
            return [Act(self._at)]
        return self._enter(self._at, self._lap)

    def heard(self) -> list[Command]:
        """What was said last came to its end."""
        section = self._section()
        if section is None:
            return [HangUp()]
        if self._state is _State.SAYING_INVALID:
            self._state = _State.LAST_CHANCE
            return self._answer_ahead(section) or [Listen(section.timeout_seconds)]
        if section.type is SectionType.HANG_UP:
            return self._close(None)
        if section.type in ANSWERED_BY_KEYS:
            self._state = _State.LISTENING
            return [Listen(section.timeout_seconds)]
        if section.type in _AFTER_SCRIPT:
            self._state = _State.ACTING
            return [Act(section.id)]
        return self._leave(section, "0")

    def keyed(self, key: str) -> list[Command]:
        """A key was pressed, before, during or after what is said. Nothing: let it be said on."""
        section = self._section()
        if section is None or self._belongs_to_number(key):
            return []
        if self._state is _State.ACTING:
            self._remember(key)
            return []
        if section.type is SectionType.CAPTURE_DIGITS:
            return self._capture(section, key)
        if section.type not in ANSWERED_BY_KEYS:
            # Whoever presses a key has heard enough. After a message it may be an answer already.
            if section.type not in _AFTER_SCRIPT:
                self._remember(key)
            return self.heard()
        return self._answer(section, key) if key in section.keys else self._invalid(section)

    def timed_out(self) -> list[Command]:
        """Nobody pressed a key in time."""
        section = self._section()
        if section is None:
            return [HangUp()]
        if self._digits:
            return self._number(section)
        if self._state is _State.LISTENING and self._lap < section.retries:
            return self._enter(section.id, self._lap + 1)
        return self._leave(section, "timeout")

    def done(self, how: str) -> list[Command]:
        """What the section is for is done; `how` it went decides where the survey goes."""
        section = self._section()
        if section is None:
            return [HangUp()]
        self._state = _State.SAYING
        if section.type in _AT_ONCE:
            return [Say(section=section.id)]
        if section.type is SectionType.CALL_TRANSFER and how == TAKEN:
            # One side's hang-up ends both, unless the survey says what comes after the talk.
            following = section.branches.get("0")
            return self._close(None) if following is None else self._enter(following, 0)
        if how not in (NO_ONE, FAILED, NOTHING):
            return self._leave(section, "0")
        if self._lap < section.retries:
            return self._enter(section.id, self._lap + 1)
        said = [Say(text=NO_AGENT)] if section.type is SectionType.CALL_TRANSFER else []
        return [*said, *self._leave(section, "invalid" if how == FAILED else "timeout", "0")]

    def _section(self) -> Section | None:
        return None if self._at is None else self._sections[self._at]

    def _enter(self, section_id: int, lap: int) -> list[Command]:
        section = self._sections[section_id]
        if section_id != self._at:
            self._wrong = 0
        self._entered += 1
        if self._entered > _ENOUGH:
            return self._close(GOODBYE)
        self._at, self._lap, self._state, self._digits = section_id, lap, _State.SAYING, ""
        entered = Enter(section_id, lap)
        if section.type in _AT_ONCE:
            self._state = _State.ACTING
            return [entered, Act(section_id)]
        if section.type in ANSWERED_BY_KEYS:
            return [entered, *(self._answer_ahead(section) or [Say(section=section_id)])]
        return [entered, Say(section=section_id)]

    def _answer_ahead(self, section: Section) -> list[Command]:
        """What follows from the keys that were pressed ahead; nothing, if they are no answer."""
        said: list[Command] = []
        while self._ahead and section.id == self._at:
            key = self._ahead.pop(0)
            if self._belongs_to_number(key):
                continue
            if section.type is SectionType.CAPTURE_DIGITS:
                said = self._capture(section, key)
                if not isinstance(said[-1], Listen):
                    return said
            elif key in section.keys:
                return self._answer(section, key)
        return said

    def _remember(self, key: str) -> None:
        if len(self._ahead) < _AHEAD:
            self._ahead.append(key)

    def _belongs_to_number(self, key: str) -> bool:
        full, self._full = self._full, False
        return full and key == "#"

    def _capture(self, section: Section, key: str) -> list[Command]:
        if key == "#":
            return self._number(section)
        if key == "*":
            self._digits = ""  # begin the number anew
        elif key.isdigit():
            self._digits += key
            if len(self._digits) >= section.digits:
                self._full = True
                return self._number(section)
        self._state = _State.LISTENING
        return [Listen(section.timeout_seconds)]

    def _number(self, section: Section) -> list[Command]:
        number, self._digits = self._digits, ""
        return self._answer(section, number) if section.takes(number) else self._invalid(section)

    def _answer(self, section: Section, response: str) -> list[Command]:
        following = self._following(section, response, "any")
        rating = section.type is SectionType.RATING
        answered: list[Command] = [Keep(section.id, response, rating, following)]
        if self._confirms:
            answered.append(Say(section=section.id, answer=response))
        if following is None:
            return [*answered, *self._close(GOODBYE)]
        return [*answered, *self._enter(following, 0)]

    def _invalid(self, section: Section) -> list[Command]:
        self._wrong += 1
        if self._lap < section.retries:
            return [Say(text=INVALID_KEY), *self._enter(section.id, self._lap + 1)]
        if "invalid" in section.branches or self._wrong >= _PATIENCE:
            return self._leave(section, "invalid")
        # No lap is left, but a slip of the finger is not an answer: one more chance to key.
        self._state = _State.SAYING_INVALID
        return [Say(text=INVALID_KEY)]

    def _leave(self, section: Section, *hows: str) -> list[Command]:
        """Go where the section leads without an answer: after a message, or for want of a key."""
        following = self._following(section, *hows)
        if following is not None:
            return self._enter(following, 0)
        return self._close(NO_ANSWER if section.type in ANSWERED_BY_KEYS else None)

    def _following(self, section: Section, *hows: str) -> int | None:
        for how in hows:
            if how in section.branches:
                return section.branches[how]
        if section.branches:
            return None
        place = self._order.index(section.id) + 1
        return self._order[place] if place < len(self._order) else None

    def _close(self, text: str | None) -> list[Command]:
        self._at, self._state = None, _State.CLOSING
        last: list[Command] = [Say(text=text)] if text else [HangUp()]
        return [Enter(None, 0), *last]
