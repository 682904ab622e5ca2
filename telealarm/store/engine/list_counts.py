"""The number of rows of a list, without counting a million of them for each page."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from peewee import ModelSelect, fn

# Up to this number a list is counted each time, so its count is exact.
EXACT_TO = 10_000
# No list waits for a longer count, which is made behind it. Until the first one is there, the count
# is EXACT_TO + 1. After that, new rows are added each time. Deleted rows, and rows that a change
# moved into or out of a filter, show after a recount: each count is made anew if it is older than
# KEPT, or if many rows are new.
KEPT = timedelta(minutes=1)
ADDED = 500
# A list that was much longer lately is not counted up to EXACT_TO.
CERTAIN = timedelta(minutes=10)
REMEMBERED = 1000


@dataclass(frozen=True)
class _Kept:
    count: int
    # The largest counted id.
    newest: int
    at: datetime


class Counts:
    """Counts queries of a database. Threads share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._stale: dict[str, ModelSelect[Any]] = {}
        # Those that are being counted.
        self._running: set[str] = set()

    def of(self, query: "ModelSelect[Any]", now: datetime) -> int:
        """Return the number of rows of `query`, which selects ids of one table without an order."""
        key = repr(query.sql())
        with self._lock:
            kept = self._kept.get(key)
        if kept is None or kept.count <= 2 * EXACT_TO or now - kept.at > CERTAIN:
            some = query.limit(EXACT_TO + 1).count()
            if some <= EXACT_TO:
                return some
        if kept is None:
            self._ask(key, query)
            return EXACT_TO + 1
        newest = _newest(query)
        if now - kept.at > KEPT or newest - kept.newest > ADDED:
            self._ask(key, query)
        # Through their ids, so that the index finds them.
        added = range(kept.newest + 1, min(newest, kept.newest + ADDED) + 1)
        more = query.where(query.model.id.in_(added)).count() if added else 0
        return max(kept.count + more, EXACT_TO + 1)

    def stale(self) -> "list[ModelSelect[Any]]":
        """Return the queries to count behind the list, each only once: `recount`, then `done`."""
        with self._lock:
            queries = [self._stale.pop(key) for key in self._stale.keys() - self._running]
            self._running |= {repr(query.sql()) for query in queries}
        return queries

    def recount(self, query: "ModelSelect[Any]", now: datetime) -> None:
        """Count again, for later requests."""
        self._count(repr(query.sql()), query, _newest(query), now)

    def done(self, query: "ModelSelect[Any]") -> None:
        """The query was counted, or could not be."""
        with self._lock:
            self._running.discard(repr(query.sql()))

    def _ask(self, key: str, query: "ModelSelect[Any]") -> None:
        with self._lock:
            self._stale[key] = query

    def _count(self, key: str, query: "ModelSelect[Any]", newest: int, now: datetime) -> None:
        counted = query.where(query.model.id <= newest).count()
        kept = _Kept(counted, newest, now)
        with self._lock:
            self._kept[key] = kept
            self._kept.move_to_end(key)
            while len(self._kept) > REMEMBERED:
                self._kept.popitem(last=False)


def _newest(query: "ModelSelect[Any]") -> int:
    """Return the largest id of the table."""
    return query.model.select(fn.MAX(query.model.id)).scalar() or 0
