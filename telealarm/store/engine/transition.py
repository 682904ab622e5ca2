"""A change of state: it must be in the transition table, and runs as compare-and-set."""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from functools import cache
from typing import Any

from peewee import JSONField, Node

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
from telealarm.store.engine.prepared import Given, Prepared, given_as, given_rows

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


def move_all(
    rows: Sequence[Moving], new: int, values: Sequence[Mapping[str, Any]] | None = None
) -> None:
    """Set the status of rows of one model to `new`, and the `values` of each with it.

    As `move` does. Raises Stale if one of the rows was changed meanwhile.
    """
    values = [{}] * len(rows) if values is None else values
    for row in rows:
        table = _TABLES[type(row)]
        states = type(next(iter(table)))
        transitions.check(table, states(row.status), states(new))
    put_all(rows, [{"status": new, **given} for given in values])


def put_all(rows: Sequence[Moving], values: Sequence[Mapping[str, Any]]) -> None:
    """Change columns of rows of one model, each with `values` of its own for the same columns.

    Raises Stale if the status or fence of one of them changed meanwhile.
    """
    if not rows:
        return
    model, names = type(rows[0]), tuple(values[0])
    steps = [
        (*_as_read(row).values(), *(given[name] for name in names))
        for row, given in zip(rows, values, strict=True)
    ]
    if len(_update_all(model, names).tuples(steps=steps)) != len(rows):
        raise Stale(f"a {model.__name__} was changed by another")
    for row, given in zip(rows, values, strict=True):
        for name in names:
            setattr(row, name, given[name])


@cache
def _update_all(model: type[Moving], names: tuple[str, ...]) -> Prepared[Any]:
    """Return the statement that changes these columns of rows that are as they were read."""

    def build() -> Any:
        columns = [getattr(model, name) for name in names]
        read = [given_as(f"was_{column.column_name}", column) for column in _unchanged(model)]
        put = [given_as(f"new_{column.column_name}", column) for column in columns]
        steps = given_rows("steps", *read, *put)

        def step(name: str, column: Any) -> Any:
            return getattr(steps.c, f"{name}_{column.column_name}")

        update = model.update({column: step("new", column) for column in columns})
        same = [column == step("was", column) for column in _unchanged(model)]
        return update.from_(steps).with_cte(steps).where(*same).returning(model.id)

    return Prepared(model, build)


def put(row: Moving | Gateway | SmsGateway, **values: Any) -> None:
    """Change columns of `row`. Raises Stale if its status or fence changed meanwhile."""
    model = type(row)
    if any(_is_expression(model, name, value) for name, value in values.items()):
        as_read = [column == getattr(row, column.name) for column in _unchanged(model)]
        changed = model.update(**values).where(*as_read).execute()
    else:
        changed = _update(model, tuple(values)).run(**values, **_as_read(row))
    if changed != 1:
        raise Stale(f"{model.__name__} {row.id} was changed by another")
    for name, value in values.items():
        setattr(row, name, value)


def _is_expression(model: type[BaseModel], name: str, value: object) -> bool:
    """Return whether the value is written as an expression: peewee does so with all JSON."""
    return isinstance(value, Node) or isinstance(model._meta.fields[name], JSONField)


def _unchanged(model: type[Moving | Gateway | SmsGateway]) -> list[Any]:
    """Return the columns that show whether a row was changed by another."""
    fence = [model.fence] if issubclass(model, ClaimableModel) else []
    return [model.id, model.status, *fence]


def _as_read(row: Moving | Gateway | SmsGateway) -> dict[str, Any]:
    return {f"row.{column.name}": getattr(row, column.name) for column in _unchanged(type(row))}


@cache
def _update(model: type[Moving | Gateway | SmsGateway], names: tuple[str, ...]) -> Prepared[Any]:
    """Return the statement that changes these columns if the row is as it was read."""

    def build() -> Any:
        columns = {name: getattr(model, name) for name in names}
        return model.update(
            {column: Given(name, column) for name, column in columns.items()}
        ).where(*(column == Given(f"row.{column.name}", column) for column in _unchanged(model)))

    return Prepared(model, build)
