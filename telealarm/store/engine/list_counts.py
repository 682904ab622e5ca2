"""How many rows a list has, without counting a million of them for each of its pages."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from peewee import ModelSelect, fn

from telealarm.store.engine import crud

# Up to here a list is counted each time, so its count is exact.
EXACT_TO = 10_000
# Beyond it a count is kept. What was added since is counted each time; what was deleted, or by a
# change came into or left a filter, is seen when it is counted anew: behind a list that is asked
# for after KEPT, so that the list need not wait for it; before one that is asked for after OLDEST.
KEPT = timedelta(minutes=1)
OLDEST = timedelta(minutes=10)
REMEMBERED = 1000


@dataclass(frozen=True)
class _Kept:
    count: int
    # The largest id that was counted.
    newest: int
    at: datetime


class Counts:
    """Counts queries of one database. Shared by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._stale: dict[str, ModelSelect[Any]] = {}

    def of(self, query: "ModelSelect[Any]", now: datetime) -> int:
        """The rows of `query`, which selects ids of one table and has no order."""
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
        # By their ids, so that they are looked up and not searched for.
        return kept.count + sum(
            query.where(query.model.id.in_(part)).count() for part in crud.chunks(added)
        )

    def stale(self) -> "list[ModelSelect[Any]]":
        """The queries that are to be counted anew, each handed out once."""
        with self._lock:
            found, self._stale = list(self._stale.values()), {}
        return found

    def recount(self, query: "ModelSelect[Any]", now: datetime) -> None:
        """Count anew, for those who ask next."""
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
    """The largest id of the table."""
    return query.model.select(fn.MAX(query.model.id)).scalar() or 0
