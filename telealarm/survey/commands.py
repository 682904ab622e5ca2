"""The commands that the survey machine returns: what to do next."""

from dataclasses import dataclass

# The names of our own prompts (i18n/languages/).
INVALID_KEY, GOODBYE, NO_ANSWER = "invalid-key", "goodbye", "no-answer"
ONE_MOMENT, NOT_SAVED = "one-moment", "not-saved"
RECORDING_FULL = "recording-full"


@dataclass(frozen=True)
class Say:
    """Speak the script of a section, or one of our own texts by its name.

    With an `answer`, read back what was understood in the section. A key may cut the prompt.
    """

    section: int | None = None
    text: str | None = None
    answer: str | None = None


@dataclass(frozen=True)
class Listen:
    """Wait for a key, at most this long."""

    seconds: float


@dataclass(frozen=True)
class Act:
    """Run the action of the section."""

    section: int


@dataclass(frozen=True)
class KeepAnswer:
    """Save an answer, together with the section that follows it (None: the end)."""

    section: int
    response: str
    rating: bool
    following: int | None


@dataclass(frozen=True)
class Enter:
    """Save that the session is in this section and lap now; None: the survey is over."""

    section: int | None
    lap: int


@dataclass(frozen=True)
class EndCall:
    """End the call."""


Command = Say | Listen | Act | KeepAnswer | Enter | EndCall
