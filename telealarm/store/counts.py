"""How many rows a list has, without counting a million of them for each of its pages."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from peewee import ModelSelect, fn

from telealarm.store import rows

# Up to here a list is counted each time, so its count is exact.
EXACT_TO = 10_000
# Beyond it, a count is kept so long. What was added since is counted; what was deleted, or by a
# change came into or left a filter, is seen when the time is over.
KEPT = timedelta(seconds=60)
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

    def of(self, query: ModelSelect, now: datetime) -> int:
        """The rows of `query`, which selects ids of one table and has no order."""
        some: int = query.limit(EXACT_TO + 1).count()
        if some <= EXACT_TO:
            return some
        key = repr(query.sql())
        newest = _newest(query)
        with self._lock:
            kept = self._kept.get(key)
        if kept is None or now - kept.at > KEPT or newest - kept.newest > EXACT_TO:
            counted: int = query.where(query.model.id <= newest).count()
            kept = _Kept(counted, newest, now)
            self._keep(key, kept)
        added = range(kept.newest + 1, newest + 1)
        # By their ids, so that they are looked up and not searched for.
        return kept.count + sum(
            query.where(query.model.id.in_(part)).count() for part in rows.chunks(added)
        )

    def _keep(self, key: str, kept: _Kept) -> None:
        with self._lock:
            self._kept[key] = kept
            self._kept.move_to_end(key)
            while len(self._kept) > REMEMBERED:
                self._kept.popitem(last=False)


def _newest(query: ModelSelect) -> int:
    """The largest id of the table."""
    return query.model.select(fn.MAX(query.model.id)).scalar() or 0
