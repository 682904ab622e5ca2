"""What the action of a section receives, and what it returns."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Outcome(Enum):
    """How an action went. This decides where the survey goes on."""

    DONE = "it goes on, by the branching 0"
    NOTHING = "nobody spoke, or nobody took the call: by timeout, once no lap is left"
    FAILED = "it could not be done: by invalid, once no lap is left"


@dataclass(frozen=True)
class ActionResult:
    """The result of an action.

    `ends_call`: if the section has no branchings, the call ends here. `says`: the name of our own
    text that is spoken before the survey goes on by timeout or invalid.
    """

    outcome: Outcome = Outcome.DONE
    ends_call: bool = False
    says: str | None = None


class SectionContext(Protocol):
    """A call that is in a section, and what an action can do with it.

    Placeholders of texts are filled in with the values of the alarm's event. If the callee hangs
    up, a method raises. Do not catch this error: it ends the action.
    """

    @property
    def retries(self) -> int:
        """Return how often the section may be repeated."""

    @property
    def timeout_seconds(self) -> float:
        """Return how long the section waits for a key."""

    async def say(self, text: str) -> str | None:
        """Speak a text. Return the key that cut it, or None if it was spoken to its end."""

    async def key(self, seconds: float) -> str | None:
        """Wait for a key and return it. Return None if none was pressed."""

    async def record(self, most_seconds: int) -> Outcome:
        """Record what the callee says, and save it as the section's result.

        Return NOTHING if nobody spoke.
        """

    async def transfer(self, number: str, script: str, key: str) -> Outcome:
        """Call an agent, and connect both until one hangs up.

        The agent hears `script`, and accepts the call with `key`; empty: by picking up. An empty
        `number` is the alarm's number. Return NOTHING if nobody accepted the call.
        """

    async def join_conference(self, name: str) -> Outcome:
        """Let the callee talk in one of the manager's conferences until they leave with `#`."""

    async def block_number(self) -> None:
        """Put the callee's number on the manager's do-not-call list."""

    async def send_sms(self, text: str) -> None:
        """Send an SMS to the callee, once in a call."""

    async def answer(self, response: str) -> None:
        """Save the section's survey result."""

    async def tell(self, word: str, why: str = "") -> None:
        """Write a line into the alarm's timeline."""
