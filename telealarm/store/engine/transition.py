"""A change of state: listed in the transition table, and done by compare-and-set."""

from typing import Any

from telealarm.errors import Stale
from telealarm.models import (
    Alarm,
    AlarmRequest,
    BaseModel,
    CallRequest,
    Event,
    Message,
    WebhookDelivery,
)
from telealarm.rules import transitions

_TABLES = {
    Event: transitions.EVENT,
    Alarm: transitions.ALARM,
    AlarmRequest: transitions.ALARM_REQUEST,
    CallRequest: transitions.CALL_REQUEST,
    Message: transitions.MESSAGE,
    WebhookDelivery: transitions.DELIVERY,
}


def move(row: Any, new: int, **values: Any) -> None:
    """Set `row.status` to `new`, and `values` with it, if nobody has changed the row meanwhile.

    Raises IllegalTransition, or Stale where the row's status (or, of a claimed row, its fence) is
    not what `row` says.
    """
    model = type(row)
    table = _TABLES[model]
    states = type(next(iter(table)))
    transitions.check(table, states(row.status), states(new))
    put(row, status=new, **values)


def put(row: Any, **values: Any) -> None:
    """Change columns of `row` if its status and fence still are what `row` says; else Stale."""
    model: type[BaseModel] = type(row)
    unchanged = (model.id == row.id) & (model.status == row.status)
    if hasattr(model, "fence"):
        unchanged &= model.fence == row.fence
    if model.update(**values).where(unchanged).execute() != 1:
        raise Stale(f"{model.__name__} {row.id} was changed by another")
    for name, value in values.items():
        setattr(row, name, value)
