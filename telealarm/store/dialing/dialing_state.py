"""What decides which of the waiting requests a claim looks at. It is read by one statement.

Most of it is usually not so: nothing is paused, nothing is live. Then a claim asks no more for it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import SQL, fn

from telealarm.models import AlarmRequest, CallRequest, Gateway, Installation, Trunk
from telealarm.models.trunk import DOWN
from telealarm.store.alarms.attempts import NO_CALL
from telealarm.store.dialing import concurrency
from telealarm.store.dialing.concurrency import LiveCalls
from telealarm.store.engine.prepared import Given, Prepared
from telealarm.words import AlarmStatus

# What a row says; `concurrency` has other numbers.
_PAUSED, _PACED, _TRUNK_DOWN, _MESSAGE = 11, 12, 13, 14


@dataclass(frozen=True)
class DialingState:
    """What is live, and what needs another look.

    `pauses`: dialing or a gateway is paused. `paced`: gateways whose next slot may be far.
    `trunks_down`: a trunk of the worker is down. `messages`: a request that is no call is due.
    """

    live: LiveCalls
    pauses: bool
    paced: list[int]
    trunks_down: bool
    messages: bool


def read(worker: str, now: datetime) -> DialingState:
    """Return the state for a claim of this worker."""
    live: list[Any] = []
    found: dict[int, list[int]] = {}
    for row in _STATE.tuples(worker=worker, now=now):
        what, row_id, *_ = row
        if what in (concurrency.CALENDAR, concurrency.GATEWAY, concurrency.AGENTS):
            live.append(row)
        else:
            found.setdefault(what, []).append(row_id)
    return DialingState(
        live=LiveCalls.of(live),
        pauses=_PAUSED in found,
        paced=found.get(_PACED, []),
        trunks_down=_TRUNK_DOWN in found,
        messages=_MESSAGE in found,
    )


def _state() -> Any:
    paced = (Gateway.calls_per_second > 0) & Gateway.next_slot.is_null(False)
    trunk = (Trunk.worker == Given("worker", Trunk.worker)) & (Trunk.state == DOWN)
    message = (
        (AlarmRequest.status == AlarmStatus.PENDING)
        & (AlarmRequest.waits_for == 0)
        & (AlarmRequest.queue == NO_CALL)
        & (AlarmRequest.date <= Given("now", AlarmRequest.date))
    )
    query = concurrency.live_rows()
    for what, model, condition in (
        (_PAUSED, Installation, Installation.paused.is_null(False)),
        (_PAUSED, Gateway, Gateway.paused.is_null(False)),
        (_PACED, Gateway, paced),
        (_TRUNK_DOWN, Trunk, trunk),
        (_MESSAGE, Installation, fn.EXISTS(AlarmRequest.select(AlarmRequest.id).where(message))),
    ):
        query = query.union_all(_rows(what, model).where(condition))
    return query


def _rows(what: int, model: Any) -> Any:
    return model.select(SQL(str(what)), model.id, SQL("0"), SQL("0"))


_STATE = Prepared(CallRequest, _state)
