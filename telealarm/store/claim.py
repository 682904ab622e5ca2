"""The one claiming routine: rows that are due pass from the stage that wrote them to a worker."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import PostgresqlDatabase

from telealarm.store.change import move


@dataclass(frozen=True)
class Holder:
    """The worker that claims. `fence` tells this run of it from an earlier one."""

    name: str
    fence: int


def claim(
    model: Any,
    holder: Holder,
    now: datetime,
    limit: int,
    *,
    pending: int,
    claimed: int,
    where: Any = None,
    look: Callable[[list[Any]], None] | None = None,
    admit: Callable[[Any], bool] | None = None,
) -> list[Any]:
    """Up to `limit` rows in status `pending` whose `date` has come, oldest first, now `claimed`.

    `where` narrows the query. `look` sees the rows that were found, all at once; then `admit`
    sees each before it is claimed, and where it returns False it has dealt with the row, or
    leaves it for later. Several workers never get the same row: on PostgreSQL rows that another
    is claiming are passed over, SQLite has one writer at a time.
    """
    query = model.select().where(model.status == pending, model.date <= now)
    if where is not None:
        query = query.where(where)
    query = query.order_by(model.date, model.id).limit(limit)
    if isinstance(model._meta.database, PostgresqlDatabase):
        query = query.for_update(skip_locked=True)
    rows = []
    found = list(query)
    if look is not None:
        look(found)
    for row in found:
        if admit is None or admit(row):
            move(row, claimed, worker=holder.name, fence=holder.fence)
            rows.append(row)
    return rows
