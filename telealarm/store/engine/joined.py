"""Rows of several models that one query reads together, without peewee's work for each column.

    calls = Joined(CallRequest, (Alarm, CallRequest, "alarm"), (Event, Alarm, "event"))

A row of the query is a call, whose `alarm` has its `event`. Alarms of one event share its row.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from telealarm.models import BaseModel
from telealarm.models.row_reader import Known, RowReader
from telealarm.store.engine.prepared import Prepared

Row = TypeVar("Row", bound=BaseModel)
# A model, the model that it is joined to, and the attribute there that will hold its row.
Branch = tuple[type[BaseModel], type[BaseModel], str]


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
        self._parts = [RowReader(one, only.get(one)) for one in models]
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
        known: list[Known] = [{} for _ in self._parts]
        return [
            (self._row(values, known), [bool(fact) for fact in values[self._width :]])
            for values in self._query.tuples(**given)
        ]

    def statement(self, **given: Any) -> tuple[str, list[Any]]:
        """Return the text and the parameters, for EXPLAIN."""
        return self._query.statement(**given)

    def _row(self, values: Sequence[Any], known: Sequence[Known]) -> Any:
        made: list[Any] = []
        at = 0
        for part, rows in zip(self._parts, known, strict=True):
            made.append(part.row(values, at, rows))
            at += len(part.columns)
        for row, (parent, attribute) in zip(made[1:], self._joins, strict=True):
            if made[parent] is not None:
                _attach(made[parent], attribute, row)
        return made[0]


def _attach(row: Any, attribute: str, joined: BaseModel | None) -> None:
    if attribute in row._meta.fields:
        row.__rel__[attribute] = joined
    else:
        setattr(row, attribute, joined)
