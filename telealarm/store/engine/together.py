"""Writes that are made for many at once.

A stage's step is a function of a set: of all calls that ring now, of all that end. Whoever makes
the step for one call writes `await db.write(call_progress.ringing, call)`. The writer gives the
function the steps of all who wait, so that a crowd costs little more than one call.
"""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar, TypeVarTuple

Ts = TypeVarTuple("Ts")
R = TypeVar("R")


class Together(Generic[*Ts, R]):
    """A write for many. It can also be called for one.

    `many` gets the arguments of each, and returns a result for each, in their order. If it raises,
    nothing of it is kept, and the writer calls it again for each alone: so a step that fails stops
    no other.
    """

    def __init__(self, many: Callable[[Sequence[tuple[*Ts]]], Sequence[R]]) -> None:
        self.many = many
        self.__name__ = many.__name__
        self.__qualname__ = many.__qualname__
        self.__module__ = many.__module__
        self.__doc__ = many.__doc__

    def __call__(self, *step: *Ts) -> R:
        return self.many([step])[0]


def together(many: Callable[[Sequence[tuple[*Ts]]], Sequence[R]]) -> Together[*Ts, R]:
    """Make a write for many of this function."""
    return Together(many)
