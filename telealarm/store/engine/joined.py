"""Rows of several models that one query reads together, without peewee's work for each column.

    calls = Joined(CallRequest, (Alarm, CallRequest, "alarm"), (Event, Alarm, "event"))

A row of the query is a call, whose `alarm` has its `event`. Alarms of one event share its row.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from peewee import AutoField, CharField, ForeignKeyField, IntegerField, TextField

from telealarm.models import BaseModel
from telealarm.store.engine.prepared import Prepared

Row = TypeVar("Row", bound=BaseModel)
# A model, the model that it is joined to, and the attribute there that will hold its row.
Branch = tuple[type[BaseModel], type[BaseModel], str]
# Rows of one model by their ids.
_Known = dict[int, BaseModel]

# The values of columns of these very types come from the database as they are.
_PLAIN = (AutoField, CharField, ForeignKeyField, IntegerField, TextField)


class Joined(Generic[Row]):
    """A query whose rows hang together as the branches say.

    `build` gets all columns to select, and returns the query with its joins. `facts`, of which it
    gets the columns too, are selected beside the rows: whether something is so. `only`: the
    columns that are read of a model, if not all.
    """

    def __init__(
        self,
        model: type[Row],
        *branches: Branch,
        build: Callable[[Sequence[Any]], Any],
        facts: Callable[[], Sequence[Any]] = tuple,
        only: Mapping[type[BaseModel], Sequence[Any]] = MappingProxyType({}),
    ) -> None:
        models: list[type[BaseModel]] = [model]
        models += [branch[0] for branch in branches]
        self._parts = [_Part(one, only.get(one)) for one in models]
        # For each branch: the place of the model that it is joined to, and the attribute there.
        self._joins = [(models.index(parent), attribute) for _, parent, attribute in branches]
        columns = [column for part in self._parts for column in part.columns]
        self._width = len(columns)
        self._query = Prepared(model, lambda: build([*columns, *facts()]))

    def rows(self, **given: Any) -> list[Row]:
        """Return the rows. A branch that the query did not find (LEFT JOIN) is None."""
        return [row for row, _ in self.rows_and_facts(**given)]

    def rows_and_facts(self, **given: Any) -> list[tuple[Row, list[bool]]]:
        """Return each row with its facts."""
        known: list[_Known] = [{} for _ in self._parts]
        return [
            (self._row(values, known), [bool(fact) for fact in values[self._width :]])
            for values in self._query.tuples(**given)
        ]

    def statement(self, **given: Any) -> tuple[str, list[Any]]:
        """Return the text and the parameters, for EXPLAIN."""
        return self._query.statement(**given)

    def _row(self, values: Sequence[Any], known: Sequence[_Known]) -> Any:
        made: list[Any] = []
        at = 0
        for part, rows in zip(self._parts, known, strict=True):
            made.append(part.row(values, at, rows))
            at += len(part.columns)
        for row, (parent, attribute) in zip(made[1:], self._joins, strict=True):
            if made[parent] is not None:
                _attach(made[parent], attribute, row)
        return made[0]


class _Part:
    """The columns of one model in the rows."""

    def __init__(self, model: type[BaseModel], only: Sequence[Any] | None) -> None:
        self._model = model
        self.columns = only or model._meta.sorted_fields
        self._names = [column.name for column in self.columns]
        self._key = self._names.index("id")
        self._converts = [
            (index, column.python_value)
            for index, column in enumerate(self.columns)
            if type(column) not in _PLAIN
        ]

    def row(self, values: Sequence[Any], at: int, known: _Known) -> BaseModel | None:
        """Return the row of this model; its columns begin at `at`. None: it was not found.

        A row that is among those `known` is not made again.
        """
        key = values[at + self._key]
        if key is None or key in known:
            return known.get(key)
        mine = list(values[at : at + len(self._names)])
        for index, convert in self._converts:
            if mine[index] is not None:
                mine[index] = convert(mine[index])
        row = self._model(__no_default__=1)
        row.__data__ = dict(zip(self._names, mine, strict=True))
        known[key] = row
        return row


def _attach(row: Any, attribute: str, joined: BaseModel | None) -> None:
    if attribute in row._meta.fields:
        row.__rel__[attribute] = joined
    else:
        setattr(row, attribute, joined)
