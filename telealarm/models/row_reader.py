"""Makes the rows of a model of what a cursor returns, without peewee's work for each column."""

from collections.abc import Sequence
from typing import Any, Generic, TypeVar, cast

from peewee import AutoField, CharField, ForeignKeyField, IntegerField, Model, TextField

Row = TypeVar("Row", bound=Model)
# Rows of one model by their ids.
Known = dict[int, Model]

# The values of columns of these very types come from the database as they are.
_PLAIN = (AutoField, CharField, ForeignKeyField, IntegerField, TextField)


class RowReader(Generic[Row]):
    """Reads the columns of a model, or `only` these, in the order of `columns`."""

    def __init__(self, model: type[Row], only: Sequence[Any] | None = None) -> None:
        self._model = model
        self.columns = only or model._meta.sorted_fields
        self._names = [column.name for column in self.columns]
        self._key = self._names.index("id")
        self._converts = [
            (index, column.python_value)
            for index, column in enumerate(self.columns)
            if type(column) not in _PLAIN
        ]

    def row(self, values: Sequence[Any], at: int = 0, known: Known | None = None) -> Row | None:
        """Return the row whose columns begin at `at`. None: there is none (of a LEFT JOIN).

        A row that is among those `known` is not made again.
        """
        key = values[at + self._key]
        if key is None:
            return None
        if known is not None and key in known:
            return cast(Row, known[key])
        mine = list(values[at : at + len(self._names)])
        for index, convert in self._converts:
            if mine[index] is not None:
                mine[index] = convert(mine[index])
        row = self._model(__no_default__=1)
        row.__data__ = dict(zip(self._names, mine, strict=True))
        if known is not None:
            known[key] = row
        return row
