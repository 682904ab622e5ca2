"""A change of state: it must be in the transition table, and runs as compare-and-set."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from telealarm.errors import Stale
from telealarm.models import (
    Alarm,
    AlarmRequest,
    BaseModel,
    CallRequest,
    Event,
    Gateway,
    Message,
    SmsGateway,
    WebhookDelivery,
)
from telealarm.models.base import ClaimableModel
from telealarm.rules import transitions

# Rows with a status that a transition table describes.
Moving = Event | Alarm | AlarmRequest | CallRequest | Message | WebhookDelivery

_TABLES: Mapping[type[BaseModel], Mapping[IntEnum, frozenset[IntEnum]]] = {
    Event: transitions.EVENT,
    Alarm: transitions.ALARM,
    AlarmRequest: transitions.ALARM_REQUEST,
    CallRequest: transitions.CALL_REQUEST,
    Message: transitions.MESSAGE,
    WebhookDelivery: transitions.DELIVERY,
}


def move(row: Moving, new: int, **values: Any) -> None:
    """Set `row.status` to `new`, and `values` with it, if the row was not changed meanwhile.

    Raises IllegalTransition. Raises Stale if the row's status (or, of a claimed row, its fence) in
    the database differs from that in `row`.
    """
    model = type(row)
    table = _TABLES[model]
    states = type(next(iter(table)))
    transitions.check(table, states(row.status), states(new))
    put(row, status=new, **values)


def put(row: Moving | Gateway | SmsGateway, **values: Any) -> None:
    """Change columns of `row`. Raises Stale if its status or fence changed meanwhile."""
    model = type(row)
    unchanged = (model.id == row.id) & (model.status == row.status)
    if isinstance(row, ClaimableModel):
        unchanged &= type(row).fence == row.fence
    if model.update(**values).where(unchanged).execute() != 1:
        raise Stale(f"{model.__name__} {row.id} was changed by another")
    for name, value in values.items():
        setattr(row, name, value)
