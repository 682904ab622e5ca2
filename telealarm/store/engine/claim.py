"""The claiming of due rows: each row goes to one worker."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from peewee import Expression, ModelSelect

from telealarm.errors import Stale
from telealarm.models import AlarmRequest, Message, WebhookDelivery
from telealarm.store.engine import dialect
from telealarm.store.engine.failures import FAILURES
from telealarm.store.engine.transition import move

Row = TypeVar("Row", AlarmRequest, Message, WebhookDelivery)

T = TypeVar("T")

log = logging.getLogger(__name__)

# How long a row waits that could not be claimed because of a fault in the code or its data.
PUT_OFF = timedelta(minutes=1)


@dataclass(frozen=True)
class Holder:
    """The worker that claims. `fence` distinguishes this run of it from earlier runs."""

    name: str
    fence: int


def oldest(
    model: type[Row],
    now: datetime,
    limit: int,
    *,
    pending: int,
    where: Expression | None = None,
    query: "ModelSelect[Row] | None" = None,
) -> list[Row]:
    """Return up to `limit` rows in status `pending` whose `date` has come, oldest first.

    `where` narrows them, and `query` selects what is read with them. Several workers never get the
    same row: rows that another worker is claiming are skipped.
    """
    query = (model.select() if query is None else query).where(
        model.status == pending, model.date <= now
    )
    if where is not None:
        query = query.where(where)
    return list(dialect.skip_locked(query.order_by(model.date, model.id).limit(limit), of=model))


def claim(
    rows: Iterable[Row],
    holder: Holder,
    now: datetime,
    *,
    claimed: int,
    admit: Callable[[Row], bool] | None = None,
) -> list[Row]:
    """Claim those of `rows` that may be claimed, and return them with status `claimed`.

    `admit` is called for each row before the claim. If it returns False, it has handled the row or
    leaves it for later. If it raises, the row is put off, so that the others continue.
    """
    taken: list[Row] = []

    def take(row: Row) -> None:
        with type(row)._meta.database.atomic():
            if admit is None or admit(row):
                move(row, claimed, worker=holder.name, fence=holder.fence)
                taken.append(row)

    for row in rows:
        unless_faulty(row, now, partial(take, row))
    return taken


def unless_faulty(row: Row, now: datetime, work: Callable[[], T]) -> T | None:
    """Return what `work` returns. If it raises, put the row off, so that the others continue."""
    try:
        return work()
    except FAILURES:
        raise  # the connection failed, not the row
    except Stale as error:
        log.debug("%s", error)  # changed meanwhile: tried again
    except Exception:
        model = type(row)
        log.exception("%s %d cannot be claimed; it is put off", model.__name__, row.id)
        model.update(date=now + PUT_OFF).where(model.id == row.id).execute()
    return None
