"""What the action of a section is given, and what comes of it."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Outcome(Enum):
    """How an action went, which decides where the survey goes."""

    DONE = "it goes on, by the branching 0"
    NOTHING = "nobody spoke, or nobody took the call: by timeout, once no lap is left"
    FAILED = "it could not be done: by invalid, once no lap is left"


@dataclass(frozen=True)
class ActionResult:
    """What an action came to.

    `ends_call`: without branchings the call ends here. `says` is the name of a text of ours that
    is said before the survey goes on by timeout or invalid.
    """

    outcome: Outcome = Outcome.DONE
    ends_call: bool = False
    says: str | None = None


class SectionContext(Protocol):
    """A call that is in a section, and what can be done with it.

    Placeholders of texts are filled in with the values of the alarm's event. If the callee hangs
    up, a method raises, and the action ends there: let it pass.
    """

    @property
    def retries(self) -> int:
        """How often the section is repeated at most."""

    @property
    def timeout_seconds(self) -> float:
        """How long the section waits for a key."""

    async def say(self, text: str) -> str | None:
        """Speak a text. Returns the key that cut it, None if it was said to its end."""

    async def key(self, seconds: float) -> str | None:
        """Wait for a key. Returns None if none came."""

    async def record(self, most_seconds: int) -> Outcome:
        """Record what the callee says, and keep it as the section's result.

        Returns NOTHING if nobody spoke.
        """

    async def transfer(self, number: str, script: str, key: str) -> Outcome:
        """Call an agent, and let the two talk until one hangs up.

        The agent hears `script`, and takes the call with `key`; empty: by picking up. An empty
        `number` is that of the alarm. Returns NOTHING if nobody took the call.
        """

    async def join_conference(self, name: str) -> Outcome:
        """Let the callee talk in a conference of the manager's until they leave it with `#`."""

    async def block_number(self) -> None:
        """Put the callee's number on the manager's do-not-call list."""

    async def send_sms(self, text: str) -> None:
        """Send an SMS to the callee, once in a call."""

    async def answer(self, response: str) -> None:
        """Keep the section's survey result."""

    async def tell(self, word: str, why: str = "") -> None:
        """Write a line into the alarm's timeline."""
