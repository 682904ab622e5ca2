"""The number of rows of a list, without counting a million of them for each page."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from peewee import ModelSelect, fn

from telealarm.store.engine import crud

# Up to this number a list is counted each time, so its count is exact.
EXACT_TO = 10_000
# A longer list keeps its count. New rows are added to it each time. Deleted rows, and rows that a
# change moved into or out of a filter, show only after a recount. If the count is older than KEPT,
# the recount runs after the list was served, so the client does not wait. If it is older than
# OLDEST, the recount comes first.
KEPT = timedelta(minutes=1)
OLDEST = timedelta(minutes=10)
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

    def of(self, query: "ModelSelect[Any]", now: datetime) -> int:
        """Return the number of rows of `query`, which selects ids of one table without an order."""
        some = query.limit(EXACT_TO + 1).count()
        if some <= EXACT_TO:
            return some
        key = repr(query.sql())
        newest = _newest(query)
        with self._lock:
            kept = self._kept.get(key)
        if kept is None or now - kept.at > OLDEST or newest - kept.newest > EXACT_TO:
            kept = self._count(key, query, newest, now)
        elif now - kept.at > KEPT:
            with self._lock:
                self._stale[key] = query
        added = range(kept.newest + 1, newest + 1)
        # Through their ids, so that the index finds them.
        return kept.count + sum(
            query.where(query.model.id.in_(part)).count() for part in crud.chunks(added)
        )

    def stale(self) -> "list[ModelSelect[Any]]":
        """Return the queries that need a recount, each only once."""
        with self._lock:
            queries, self._stale = list(self._stale.values()), {}
        return queries

    def recount(self, query: "ModelSelect[Any]", now: datetime) -> None:
        """Count again, for later requests."""
        self._count(repr(query.sql()), query, _newest(query), now)

    def _count(self, key: str, query: "ModelSelect[Any]", newest: int, now: datetime) -> _Kept:
        counted = query.where(query.model.id <= newest).count()
        kept = _Kept(counted, newest, now)
        with self._lock:
            self._kept[key] = kept
            self._kept.move_to_end(key)
            while len(self._kept) > REMEMBERED:
                self._kept.popitem(last=False)
        return kept


def _newest(query: "ModelSelect[Any]") -> int:
    """Return the largest id of the table."""
    return query.model.select(fn.MAX(query.model.id)).scalar() or 0
