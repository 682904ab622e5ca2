"""A dialogue: what a door says and asks, one step after the other, as a pure generator.

It yields a step and is sent what came of it, so it can be tested without a telephone. The keys of
an `Ask` are sent as text, empty where none came. Whatever the caller does, a dialogue ends.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

# How often something is asked that gets no answer that makes sense.
TRIES = 3

T = TypeVar("T")


@dataclass(frozen=True)
class Phrase:
    """One of our own prompts; with `values`, a text of `wake_up`, which they are put into."""

    name: str
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Say:
    """Say this to the end."""

    phrases: tuple[Phrase, ...]


@dataclass(frozen=True)
class Ask:
    """Say this, and take up to `digits` keys; `#` ends them, `*` begins anew. A key cuts what is
    said.
    """

    phrases: tuple[Phrase, ...]
    digits: int


class Order(Generic[T]):
    """Something to be done that is neither said nor heard; a door has its own. T comes of it."""


Step = Say | Ask | Order[Any]
Dialog = Generator[Step, Any, T]


def ordered(order: Order[T]) -> Dialog[T]:
    """Have this done; returns what came of it."""
    return cast(T, (yield order))


def say(*names: str) -> Say:
    """Say these texts, which have no values."""
    return Say(tuple(map(Phrase, names)))


def asked(
    ask: Ask, take: Callable[[str], T | None], sorry: str = "invalid-key"
) -> Dialog[T | None]:
    """Ask until `take` makes something of the keys; None after TRIES, and goodbye is said.

    Keys that make no sense hear `sorry` before they are asked for again.
    """
    for tried in range(TRIES):
        keys = str((yield ask))
        made = take(keys)
        if made is not None:
            return made
        if keys and tried + 1 < TRIES:
            yield say(sorry)
    yield say("no-answer")
    return None
