"""The commands by which the survey machine says what is to be done next."""

from dataclasses import dataclass

# Prompts of ours, by name (i18n/languages/).
INVALID_KEY, GOODBYE, NO_ANSWER = "invalid-key", "goodbye", "no-answer"


@dataclass(frozen=True)
class Say:
    """Speak the script of a section, or one of our own texts by its name, or, with an `answer`,
    what was understood as the answer to the section. A key cuts it.
    """

    section: int | None = None
    text: str | None = None
    answer: str | None = None


@dataclass(frozen=True)
class Listen:
    """Wait so long for a key."""

    seconds: float


@dataclass(frozen=True)
class Act:
    """Do what the section is for: its action."""

    section: int


@dataclass(frozen=True)
class Keep:
    """Keep an answer, together with the section that follows it (None: the end)."""

    section: int
    response: str
    rating: bool
    following: int | None


@dataclass(frozen=True)
class Enter:
    """The session is in this section and lap now; None: the survey is over."""

    section: int | None
    lap: int


@dataclass(frozen=True)
class HangUp:
    """End the call."""


Command = Say | Listen | Act | Keep | Enter | HangUp
