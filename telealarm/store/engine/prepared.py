"""Queries that are built and compiled once, and run with other values each time.

Building the text of a query takes ten times as long as SQLite takes to run it. So what runs for
every call is written once, with `Given`, `Each` or `given_rows` where its values will stand:

    _OF = Prepared(Alarm, lambda: Alarm.select().where(Alarm.id.in_(Each("ids", Alarm.id))))
    _OF.rows(ids=[1, 2, 3])
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from peewee import CTE, Context, Database, JSONField, Node, SelectQuery

from telealarm.models import BaseModel
from telealarm.store.engine import dialect

Row = TypeVar("Row", bound=BaseModel)
Convert = Callable[[Any], Any]

# Longer lists are run in parts, so that they fit into a statement of either database.
MOST = 250
# Where the rows of a list will stand in the text.
_LIST = "\0"


class _Single:
    """The place of one value among the parameters."""

    def __init__(self, name: str, convert: Convert) -> None:
        self.name, self._convert = name, convert

    def parameters(self, given: Mapping[str, Any]) -> Iterator[Any]:
        yield self._convert(given[self.name])


class _List(_Single):
    """The place of a list of values. `row`: what stands in the text for each of them."""

    def __init__(self, name: str, convert: Convert, row: str) -> None:
        super().__init__(name, convert)
        self.row = row

    def parameters(self, given: Mapping[str, Any]) -> Iterator[Any]:
        return map(self._convert, given[self.name])


class _Rows(_List):
    """The place of a list of rows. Each row has a value for each of `converts`."""

    def __init__(self, name: str, converts: Sequence[Convert], row: str) -> None:
        super().__init__(name, tuple, row)
        self._converts = converts

    def parameters(self, given: Mapping[str, Any]) -> Iterator[Any]:
        for values in given[self.name]:
            for value, convert in zip(values, self._converts, strict=True):
                yield convert(value)


class _Constant:
    """A value that was written into the query."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def parameters(self, given: Mapping[str, Any]) -> Iterator[Any]:
        yield self._value


class Given(Node):
    """A value that is given when the query runs. It is written as a value of the column is."""

    def __init__(self, name: str, column: Any) -> None:
        self._place = _Single(name, column.db_value)

    def __sql__(self, ctx: Context) -> Any:
        return ctx.value(self._place, converter=False)


class Each(Node):
    """The values of a list, for `in_`."""

    def __init__(self, name: str, column: Any) -> None:
        self._name, self._convert = name, column.db_value

    def __sql__(self, ctx: Context) -> Any:
        place = _List(self._name, self._convert, ctx.state.param)
        ctx.literal(f"({_LIST})")
        return ctx.value(place, converter=False, add_param=False)


class _Values(SelectQuery):
    """The given rows as VALUES."""

    def __init__(self, name: str, columns: Sequence[Any]) -> None:
        super().__init__()
        self._name, self._columns = name, columns

    def __sql__(self, ctx: Context) -> Any:
        kinds = [getattr(column, "kind", column) for column in self._columns]
        types = [dialect.type_of_parameter(ctx, kind) for kind in kinds]
        row = ", ".join(ctx.state.param + kind for kind in types)
        place = _Rows(self._name, [_convert(kind) for kind in kinds], f"({row})")
        ctx.literal(f"VALUES {_LIST}")
        return ctx.value(place, converter=False, add_param=False)


def _convert(column: Any) -> Convert:
    """Return how a value is written. peewee would write JSON as a call of a function."""
    return _json if isinstance(column, JSONField) else column.db_value


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, separators=(",", ":"))


@dataclass(frozen=True)
class Column:
    """A column of given rows, of the kind of a column of a model, under a name of its own."""

    column_name: str
    kind: Any


def given_as(name: str, column: Any) -> Column:
    """Return a column for `given_rows` with this name, whose values are like those of `column`."""
    return Column(name, column)


def given_rows(name: str, *columns: Any) -> Any:
    """Return a table of given rows; its columns have the names of these columns.

    Each row is a sequence of values in this order. Name the table in `with_cte` and `from_`.
    """
    return CTE(name, _Values(name, columns), columns=[column.column_name for column in columns])


def insertion(name: str, *columns: Any) -> Any:
    """Return a query that inserts the given rows. Other columns get no values, not even defaults.

    Each row is a sequence of values in the order of the columns.
    """
    return columns[0].model.insert_from(_Values(name, columns), columns)


class Prepared(Generic[Row]):
    """A query of a model that is compiled once for each kind of database."""

    def __init__(self, model: type[Row], build: Callable[[], Any]) -> None:
        self._model = model
        self._build = build
        self._compiled: dict[type[Database], _Compiled] = {}

    def rows(self, **given: Any) -> list[Row]:
        """Return the rows that the query selects, or that a write returns."""
        found: list[Row] = []
        for query, cursor in self._run(given):
            wrapper = query._get_cursor_wrapper(cursor)
            wrapper.initialize()
            found.extend(wrapper)
        return found

    def tuples(self, **given: Any) -> list[tuple[Any, ...]]:
        """Return the rows as the database has them: for ids and numbers, which need no reading."""
        return [row for _, cursor in self._run(given) for row in cursor.fetchall()]

    def run(self, **given: Any) -> int:
        """Run a write that returns no rows. Return how many rows it changed."""
        return sum(cursor.rowcount for _, cursor in self._run(given))

    def statement(self, **given: Any) -> tuple[str, list[Any]]:
        """Return the text and the parameters, for EXPLAIN."""
        return self._for(self._model._meta.database).statement(given)

    def _run(self, given: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
        database = self._model._meta.database
        compiled = self._for(database)
        for part in compiled.parts(given):
            yield compiled.query, database.execute_sql(*compiled.statement(part))

    def _for(self, database: Database) -> "_Compiled":
        compiled = self._compiled.get(type(database))
        if compiled is None:
            compiled = self._compiled[type(database)] = _Compiled(self._build(), database)
        return compiled


class _Compiled:
    """The text of a query for one kind of database, and the places of its parameters."""

    def __init__(self, query: Any, database: Database) -> None:
        self.query = query
        context = database.get_sql_context()
        text, parameters = context.sql(query).query()
        self._parts = text.split(_LIST)
        self._places: list[_Single | _Constant] = [
            one if isinstance(one, _Single) else _Constant(one) for one in parameters
        ]
        lists = [place for place in self._places if isinstance(place, _List)]
        assert len({place.name for place in lists}) <= 1, "a query may have one list"
        self._list = lists[0] if lists else None

    def parts(self, given: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the values for each statement: a long list is split. An empty list has none."""
        if self._list is None:
            yield given
            return
        name = self._list.name
        rows = given[name]
        for first in range(0, len(rows), MOST):
            yield {**given, name: rows[first : first + MOST]}

    def statement(self, given: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """Return the text and the parameters for these values."""
        text = self._parts[0]
        if self._list is not None:
            text = ", ".join([self._list.row] * len(given[self._list.name])).join(self._parts)
        return text, [value for place in self._places for value in place.parameters(given)]
