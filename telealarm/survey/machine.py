"""The survey as a small explicit machine. It knows nothing of Asterisk, of rows, or of time.

It is told what happened (`begin`, `heard`, `keyed`, `timed_out`) and answers with what is to be
done, in order:

    Say       speak a text; a key cuts it. Then `heard`.
    Listen    wait for a key so long. Then `keyed` or `timed_out`.
    Keep      keep an answer, together with the section that follows it.
    Enter     the session is in this section and lap now; None: the survey is over.
    HangUp    end the call.

A section without a branching goes on to the next by `order`. One that has branchings, of which
none fits what happened, ends the call.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from telealarm.rules.states import SectionType

# Texts of ours, by name, that every language has (sounds/prompts.yml).
INVALID_KEY, GOODBYE, NO_ANSWER = "invalid-key", "goodbye", "no-answer"

_TAKES_KEYS = {SectionType.MULTI_CHOICE, SectionType.RATING}
# Keys that may be pressed ahead of the section that takes them.
_AHEAD = 16
# Wrong keys in one section, after which nobody waits for a right one any more.
_PATIENCE = 10


@dataclass(frozen=True)
class Section:
    """What the machine must know of a section."""

    id: int
    type: SectionType
    keys: frozenset[str] = frozenset()
    retries: int = 0
    timeout_seconds: float = 5.0
    branches: Mapping[str, int | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Say:
    """Speak the script of a section, or one of our own texts by its name."""

    section: int | None = None
    text: str | None = None


@dataclass(frozen=True)
class Listen:
    seconds: float


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


Command = Say | Listen | Keep | Enter | HangUp


class _State(Enum):
    SAYING = auto()
    LISTENING = auto()
    SAYING_INVALID = auto()
    LAST_CHANCE = auto()
    CLOSING = auto()


class Machine:
    """One call's way through the sections (in their order), from section `at` and `lap` on."""

    def __init__(self, sections: Iterable[Section], at: int | None, lap: int = 0) -> None:
        self._sections = {section.id: section for section in sections}
        self._order = list(self._sections)
        self._at = at
        self._lap = lap
        self._wrong = 0
        self._ahead: list[str] = []
        self._state = _State.SAYING

    def begin(self) -> list[Command]:
        """Enter the survey, or the section that an earlier session was in."""
        if self._at is None:
            return self._close(None)
        return self._enter(self._at, self._lap)

    def heard(self) -> list[Command]:
        """What was said last came to its end."""
        if self._state is _State.CLOSING:
            return [HangUp()]
        section = self._sections[self._at] if self._at is not None else None
        assert section is not None, "only a closed survey is in no section"
        if self._state is _State.SAYING_INVALID:
            self._state = _State.LAST_CHANCE
            return [Listen(section.timeout_seconds)]
        if section.type is SectionType.HANG_UP:
            return [Enter(None, 0), HangUp()]
        if section.type in _TAKES_KEYS:
            self._state = _State.LISTENING
            return [Listen(section.timeout_seconds)]
        return self._leave(section, "0")

    def keyed(self, key: str) -> list[Command]:
        """A key was pressed, before, during or after what is said."""
        if self._state is _State.CLOSING or self._at is None:
            return []
        section = self._sections[self._at]
        if section.type not in _TAKES_KEYS:
            if len(self._ahead) < _AHEAD:
                self._ahead.append(key)
            # Whoever presses a key has heard enough of a message.
            return self.heard()
        if key in section.keys:
            return self._answer(section, key)
        return self._invalid(section)

    def timed_out(self) -> list[Command]:
        """Nobody pressed a key in time."""
        if self._at is None:
            return [HangUp()]
        section = self._sections[self._at]
        if self._state is _State.LISTENING and self._lap < section.retries:
            return self._enter(section.id, self._lap + 1)
        return self._leave(section, "timeout")

    def _enter(self, section_id: int, lap: int) -> list[Command]:
        section = self._sections[section_id]
        if section_id != self._at:
            self._wrong = 0
        self._at, self._lap, self._state = section_id, lap, _State.SAYING
        entered: list[Command] = [Enter(section_id, lap)]
        while self._ahead and section.type in _TAKES_KEYS:
            key = self._ahead.pop(0)
            if key in section.keys:
                return entered + self._answer(section, key)
        return [*entered, Say(section=section_id)]

    def _answer(self, section: Section, key: str) -> list[Command]:
        following = self._following(section, key, "any")
        kept = Keep(section.id, key, section.type is SectionType.RATING, following)
        if following is None:
            return [kept, *self._close(GOODBYE)]
        return [kept, *self._enter(following, 0)]

    def _invalid(self, section: Section) -> list[Command]:
        self._wrong += 1
        if self._lap < section.retries:
            return [Say(text=INVALID_KEY), *self._enter(section.id, self._lap + 1)]
        if "invalid" in section.branches or self._wrong >= _PATIENCE:
            return self._leave(section, "invalid")
        # No lap is left, but a slip of the finger is not an answer: one more chance to key.
        self._state = _State.SAYING_INVALID
        return [Say(text=INVALID_KEY)]

    def _leave(self, section: Section, how: str) -> list[Command]:
        """Go where the section leads without an answer: after a message, or for want of a key."""
        following = self._following(section, how)
        if following is not None:
            return self._enter(following, 0)
        return self._close(None if how == "0" else NO_ANSWER)

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
