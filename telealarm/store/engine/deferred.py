"""Work at the end of a write, after all its rows: so the locks that it takes are the last ones.

Two transactions that take locks in different orders can stop each other. What is deferred takes its
locks in one order, and the transaction takes none after them: see store/access/limits.py.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar, cast


class Deferred(Protocol):
    """What one write has deferred."""

    def carry_out(self) -> bool:
        """Do the work. Return whether it has taken locks. Raises what undoes the write."""


D = TypeVar("D", bound=Deferred)

_write = threading.local()


@contextmanager
def collecting() -> Iterator[Callable[[], bool]]:
    """Collect what the write defers. What is yielded does the work: call it before the end."""
    outer = getattr(_write, "work", None)
    work: dict[str, Deferred] = {}
    _write.work = work
    try:
        yield lambda: _carry_out(work.values())
    finally:
        _write.work = outer


def _carry_out(work: Iterable[Deferred]) -> bool:
    locks = [each.carry_out() for each in list(work)]
    return any(locks)


def of_this_write(name: str, new: Callable[[], D]) -> D | None:
    """Return what this write has deferred under `name`, at first `new`. None: no write runs."""
    work = getattr(_write, "work", None)
    return None if work is None else cast(D, work.setdefault(name, new()))
