"""Queries that are built and compiled once, and run with other values each time.

Building the text of a query takes ten times as long as SQLite takes to run it, and so does the
database's own preparing of a text that it has not met. So what runs for every call is written once,
with `Given`, `Each` or `given_rows` where its values will stand. The text is the same for one row
and for a thousand: a list is a single parameter.

    _OF = Prepared(Alarm, lambda: Alarm.select().where(Each("ids", Alarm.id)))
    _OF.rows(ids=[1, 2, 3])
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar, cast

from peewee import CTE, Context, Database, Function, JSONField, Node, SelectQuery

from telealarm.models import BaseModel
from telealarm.store.engine import dialect

Row = TypeVar("Row", bound=BaseModel)
Convert = Callable[[Any], Any]


class _Single:
    """The place of one value among the parameters."""

    def __init__(self, name: str, convert: Convert) -> None:
        self.name, self._convert = name, convert

    def parameters(self, given: Mapping[str, Any]) -> Iterator[Any]:
        yield self._convert(given[self.name])


class _List(_Single):
    """The place of a list of values. `join` makes one parameter of them."""

    def __init__(self, name: str, convert: Convert, join: Convert) -> None:
        super().__init__(name, convert)
        self._join = join

    def parameters(self, given: Mapping[str, Any]) -> Iterator[Any]:
        yield self._join([self._convert(value) for value in given[self.name]])


class _Rows(_Single):
    """The place of a list of rows. Each row has a value for each of `converts`.

    `join` makes the parameters of them.
    """

    def __init__(
        self,
        name: str,
        converts: Sequence[Convert],
        join: Callable[[list[list[Any]]], Sequence[Any]],
    ) -> None:
        super().__init__(name, tuple)
        self._converts, self._join = converts, join

    def parameters(self, given: Mapping[str, Any]) -> Iterator[Any]:
        rows = [
            [convert(value) for convert, value in zip(self._converts, row, strict=True)]
            for row in given[self.name]
        ]
        yield from self._join(rows)


class _Constant:
    """A value that was written into the query."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def parameters(self, given: Mapping[str, Any]) -> Iterator[Any]:
        yield self._value


class Given(Node):
    """A value that is given when the query runs. It is written as a value of the column is."""

    def __init__(self, name: str, column: Any) -> None:
        self._place = _Single(name, _convert(column))

    def __sql__(self, ctx: Context) -> Any:
        return ctx.value(self._place, converter=False)


class Each(Node):
    """The condition that a column has one of the values of a list."""

    def __init__(self, name: str, column: Any) -> None:
        self._name, self._column = name, column

    def __sql__(self, ctx: Context) -> Any:
        ctx.sql(self._column)
        condition, join = dialect.one_of(ctx, self._column)
        place = _List(self._name, _convert(self._column), join)
        ctx.literal(condition)
        return ctx.value(place, converter=False, add_param=False)


class _Table(SelectQuery):
    """The given rows as a query."""

    def __init__(self, name: str, columns: Sequence[Any]) -> None:
        super().__init__()
        self._name, self._columns = name, columns

    def __sql__(self, ctx: Context) -> Any:
        kinds = [one.kind if isinstance(one, Column) else one for one in self._columns]
        query, join = dialect.table_of(ctx, kinds)
        place = _Rows(self._name, [_convert(kind) for kind in kinds], join)
        ctx.literal(query)
        return ctx.value(place, converter=False, add_param=False)


def _convert(column: Any) -> Convert:
    """Return how a value is written. peewee would write JSON as a call of a function."""
    if type(column) is JSONField:
        return _json
    if isinstance(column, JSONField):
        return partial(_own_json, column)
    return cast(Convert, column.db_value)


def _own_json(column: Any, value: Any) -> Any:
    """Return what a kind of JSON column of our own writes, such as an encrypted one."""
    written = column.db_value(value)
    return next(iter(written.arguments or ())) if isinstance(written, Function) else written


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
    names = [column.column_name for column in columns]
    return CTE(name, _Table(name, columns), columns=names, materialized=True)


def insertion(name: str, *columns: Any) -> Any:
    """Return a query that inserts the given rows. Other columns get no values, not even defaults.

    Each row is a sequence of values in the order of the columns.
    """
    return columns[0].model.insert_from(_Table(name, columns), columns)


class Prepared(Generic[Row]):
    """A query of a model that is compiled once for each kind of database."""

    def __init__(self, model: type[Row], build: Callable[[], Any]) -> None:
        self._model = model
        self._build = build
        self._compiled: dict[type[Database], _Compiled] = {}

    def rows(self, **given: Any) -> list[Row]:
        """Return the rows that the query selects, or that a write returns."""
        query, cursor = self._run(given)
        if cursor is None:
            return []
        wrapper = query._get_cursor_wrapper(cursor)
        wrapper.initialize()
        return list(wrapper)

    def tuples(self, **given: Any) -> list[tuple[Any, ...]]:
        """Return the rows as the database has them: for ids and numbers, which need no reading."""
        _, cursor = self._run(given)
        return [] if cursor is None else list(cursor.fetchall())

    def run(self, **given: Any) -> int:
        """Run a write that returns no rows. Return how many rows it changed."""
        _, cursor = self._run(given)
        return 0 if cursor is None else int(cursor.rowcount)

    def statement(self, **given: Any) -> tuple[str, list[Any]]:
        """Return the text and the parameters, for EXPLAIN."""
        return self._for(self._model._meta.database).statement(given)

    def _run(self, given: dict[str, Any]) -> tuple[Any, Any]:
        """Run the query. Return it and its cursor; None: a list is empty, so there is no row."""
        database = self._model._meta.database
        compiled = self._for(database)
        if not all(given[name] for name in compiled.lists):
            return compiled.query, None
        return compiled.query, database.execute_sql(*compiled.statement(given))

    def _for(self, database: Database) -> "_Compiled":
        compiled = self._compiled.get(type(database))
        if compiled is None:
            compiled = self._compiled[type(database)] = _Compiled(self._build(), database)
        return compiled


class _Compiled:
    """The text of a query for one kind of database, and the places of its parameters."""

    def __init__(self, query: Any, database: Database) -> None:
        self.query = query
        self._text, parameters = database.get_sql_context().sql(query).query()
        self._places: list[_Single | _Constant] = [
            one if isinstance(one, _Single) else _Constant(one) for one in parameters
        ]
        self.lists = [one.name for one in self._places if isinstance(one, _List | _Rows)]

    def statement(self, given: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """Return the text and the parameters for these values."""
        return self._text, [value for place in self._places for value in place.parameters(given)]
