"""A dialog: what a door says and asks, step by step, as a pure generator.

It yields a step and receives its result, so tests need no telephone. The result of an `Ask` is the
keys as text, empty if there are none. Every dialog ends, whatever the caller does.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

# How often a question is asked again after an answer without meaning.
TRIES = 3

T = TypeVar("T")


@dataclass(frozen=True)
class Phrase:
    """A prompt of this product. With `values`, a text of `wake_up` that they are filled into."""

    name: str
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Speak:
    """Say this to the end."""

    phrases: tuple[Phrase, ...]


@dataclass(frozen=True)
class Ask:
    """Say this, and take up to `digits` keys.

    `#` ends the keys, `*` starts again. A key stops what is being said.
    """

    phrases: tuple[Phrase, ...]
    digits: int


class DoorRequest(Generic[T]):
    """A step that neither speaks nor listens. Each door has its own. Its result is a T."""


Step = Speak | Ask | DoorRequest[Any]
Dialog = Generator[Step, Any, T]


def ordered(order: DoorRequest[T]) -> Dialog[T]:
    """Execute the order, and return its result."""
    return cast(T, (yield order))


def say(*names: str) -> Speak:
    """Return a step that says these texts, which have no values."""
    return Speak(tuple(map(Phrase, names)))


def asked(
    ask: Ask, take: Callable[[str], T | None], sorry: str = "invalid-key"
) -> Dialog[T | None]:
    """Ask until `take` accepts the keys. Return None after TRIES, when goodbye was said.

    After keys without meaning the caller hears `sorry`, and is asked again.
    """
    for tried in range(TRIES):
        keys = str((yield ask))
        answer = take(keys)
        if answer is not None:
            return answer
        if keys and tried + 1 < TRIES:
            yield say(sorry)
    yield say("no-answer")
    return None
