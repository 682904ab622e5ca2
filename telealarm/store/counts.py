"""How many rows a list has, without counting a million of them for each of its pages."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from peewee import ModelSelect, fn

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
        with self._lock:
            kept = self._kept.get(key)
        if kept is None or now - kept.at > KEPT:
            kept = self._counted(query, now)
            with self._lock:
                self._kept[key] = kept
                self._kept.move_to_end(key)
                while len(self._kept) > REMEMBERED:
                    self._kept.popitem(last=False)
        added: int = query.where(query.model.id > kept.newest).count()
        return kept.count + added

    def _counted(self, query: ModelSelect, now: datetime) -> _Kept:
        newest: int = query.model.select(fn.MAX(query.model.id)).scalar() or 0
        return _Kept(query.where(query.model.id <= newest).count(), newest, now)
