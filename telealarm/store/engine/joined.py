"""Rows of several models that one query reads together, without peewee's work for each column.

    calls = Joined(CallRequest, (Alarm, CallRequest, "alarm"), (Event, Alarm, "event"))

A row of the query is a call, whose `alarm` has its `event`.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from peewee import AutoField, CharField, ForeignKeyField, IntegerField, TextField

from telealarm.models import BaseModel
from telealarm.store.engine.prepared import Prepared

Row = TypeVar("Row", bound=BaseModel)
# A model, the model that it is joined to, and the attribute there that will hold its row.
Branch = tuple[type[BaseModel], type[BaseModel], str]

# The values of columns of these very types come from the database as they are.
_PLAIN = (AutoField, CharField, ForeignKeyField, IntegerField, TextField)


class Joined(Generic[Row]):
    """A query whose rows hang together as the branches say.

    `build` gets all columns to select, and returns the query with its joins.
    """

    def __init__(
        self,
        model: type[Row],
        *branches: Branch,
        build: Callable[[Sequence[Any]], Any],
    ) -> None:
        models: list[type[BaseModel]] = [model]
        models += [branch[0] for branch in branches]
        self._parts = [_Part(one) for one in models]
        # For each branch: the place of the model that it is joined to, and the attribute there.
        self._joins = [(models.index(parent), attribute) for _, parent, attribute in branches]
        columns = [column for part in self._parts for column in part.columns]
        self._query = Prepared(model, lambda: build(columns))

    def rows(self, **given: Any) -> list[Row]:
        """Return the rows. A branch that the query did not find (LEFT JOIN) is None."""
        return [self._row(values) for values in self._query.tuples(**given)]

    def statement(self, **given: Any) -> tuple[str, list[Any]]:
        """Return the text and the parameters, for EXPLAIN."""
        return self._query.statement(**given)

    def _row(self, values: Sequence[Any]) -> Any:
        made: list[Any] = []
        at = 0
        for part in self._parts:
            made.append(part.row(values, at))
            at += len(part.columns)
        for row, (parent, attribute) in zip(made[1:], self._joins, strict=True):
            if made[parent] is not None:
                _attach(made[parent], attribute, row)
        return made[0]


class _Part:
    """The columns of one model in the rows."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._model = model
        self.columns = model._meta.sorted_fields
        self._names = [column.name for column in self.columns]
        self._key = self._names.index("id")
        self._converts = [
            (index, column.python_value)
            for index, column in enumerate(self.columns)
            if type(column) not in _PLAIN
        ]

    def row(self, values: Sequence[Any], at: int) -> BaseModel | None:
        """Return the row of this model; its columns begin at `at`. None: it was not found."""
        mine = list(values[at : at + len(self._names)])
        if mine[self._key] is None:
            return None
        for index, convert in self._converts:
            if mine[index] is not None:
                mine[index] = convert(mine[index])
        row = self._model(__no_default__=1)
        row.__data__ = dict(zip(self._names, mine, strict=True))
        return row


def _attach(row: Any, attribute: str, joined: BaseModel | None) -> None:
    if attribute in row._meta.fields:
        row.__rel__[attribute] = joined
    else:
        setattr(row, attribute, joined)
