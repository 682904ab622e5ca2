"""Writes to any table: unique columns, the date of the change, and rows still in use."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from peewee import IntegrityError, ModelSelect

from telealarm.clock import utcnow
from telealarm.errors import Conflict, Invalid
from telealarm.models import ALL, BaseModel
from telealarm.store.engine import search_index
from telealarm.store.engine.prepared import Given, Prepared, given_rows, insertion

T = TypeVar("T")
Row = TypeVar("Row", bound=BaseModel)

_CHUNK = 500
# The name of the id among the values of an update. No column has it.
_KEY = "key of the row"


def insert(model: type[Row], values: Mapping[str, Any]) -> Row:
    """Create a row. Raises Invalid if a unique column has that value already."""
    _check_unique(model, values)
    return create_all([model(**values)])[0]


def create_all(rows: Sequence[Row]) -> Sequence[Row]:
    """Write new rows of one model, which get their ids. Raises Conflict.

    A caller checks unique columns before: see `insert`.
    """
    if not rows:
        return rows
    model = type(rows[0])
    try:
        written = insert_all(rows, model.id)
    except IntegrityError as error:
        raise Conflict(f"Another {noun(model)} like this was written just now.") from error
    # The database numbers the rows in their order.
    for row, row_id in zip(rows, sorted(row_id for row_id, _ in written), strict=True):
        row.id = row_id
    search_index.add(*rows)
    return rows


def insert_all(rows: Sequence[BaseModel], key: Any) -> list[tuple[int, Any]]:
    """Insert rows of one model. Return their new ids, each with its value of the column `key`."""
    if not rows:
        return []
    model = type(rows[0])
    columns = _columns(model)
    values = [[row.__data__.get(column.name) for column in columns] for row in rows]
    return [(row_id, value) for row_id, value in _insertion(model, key).tuples(rows=values)]


def _columns(model: type[BaseModel]) -> list[Any]:
    """Return the columns of a model without its id."""
    return [column for column in model._meta.sorted_fields if column.name != "id"]


@cache
def _insertion(model: type[BaseModel], key: Any) -> Prepared[Any]:
    return Prepared(model, lambda: insertion("rows", *_columns(model)).returning(model.id, key))


@cache
def _update(model: type[BaseModel], names: tuple[str, ...]) -> Prepared[Any]:
    fields = [model._meta.combined[name] for name in names]
    values = {field: Given(name, field) for name, field in zip(names, fields, strict=True)}
    return Prepared(model, lambda: model.update(values).where(model.id == Given(_KEY, model.id)))


def change(row: BaseModel, values: Mapping[str, Any]) -> None:
    """Write `values` and the date of the change to the row. Raises Invalid as `insert` does."""
    model = type(row)
    _check_unique(model, values, row)
    columns = dict(values)
    if "updated_date" in model._meta.fields:
        columns["updated_date"] = utcnow()
    if not columns:
        return
    searched, event_id = search_index.changes(row, columns), getattr(row, "event_id", None)
    try:
        _update(model, tuple(columns)).run(**columns, **{_KEY: row.id})
    except IntegrityError as error:
        raise Conflict(f"What the {noun(model)} refers to was changed just now.") from error
    for name, value in columns.items():
        setattr(row, name, value)
    if searched:
        search_index.replace(row, event_id)


def write_all(rows: Sequence[BaseModel], names: tuple[str, ...]) -> None:
    """Write these columns of rows of one model, as they are in the rows."""
    if rows:
        values = [(row.id, *(row.__data__.get(name) for name in names)) for row in rows]
        _update_all(type(rows[0]), names).run(rows=values)


@cache
def _update_all(model: type[BaseModel], names: tuple[str, ...]) -> Prepared[Any]:
    def build() -> Any:
        columns = [model._meta.combined[name] for name in names]
        rows = given_rows("rows", model.id, *columns)
        values = {column: getattr(rows.c, column.column_name) for column in columns}
        update = model.update(values).from_(rows).with_cte(rows)
        return update.where(model.id == rows.c.id)

    return Prepared(model, build)


def check_unused(row: BaseModel, *, but_hidden: bool = False) -> None:
    """Raise Conflict, with the reason, if another row refers to this one.

    `but_hidden`: rows that are marked as deleted may refer to it.
    """
    for key in type(row)._meta.backrefs:
        # Base classes of models have foreign keys too, but no tables.
        if key.on_delete is None and key.model in ALL:
            users = key.model.select(key.model.id).where(key == row.id)
            if but_hidden and "deleted" in key.model._meta.fields:
                users = users.where(key.model.deleted.is_null())
            user = users.first()
            if user is not None:
                raise Conflict(
                    f"The {noun(type(row))} is in use: {noun(key.model)} {user.id} refers to it."
                )


def is_used(row: BaseModel) -> bool:
    """Return whether another row, visible or hidden, refers to this one."""
    try:
        check_unused(row)
    except Conflict:
        return True
    return False


def remove(row: BaseModel) -> None:
    """Delete the row. Raises Conflict, with the reason, if another row refers to it."""
    check_unused(row)
    try:
        type(row).delete().where(type(row).id == row.id).execute()
    except IntegrityError as error:
        raise Conflict(f"The {noun(type(row))} is in use.") from error


def first(query: "ModelSelect[Row]") -> Row | None:
    """Return the first row of the query, or None. For queries that often have no row.

    peewee's own first() has no type. Its get_or_none() builds the SQL twice if there is no row.
    """
    return next(iter(query.limit(1)), None)


def selected_moment(query: "ModelSelect[Any]") -> datetime | None:
    """Return the moment that the query selects, or None."""
    moment = query.scalar()
    return moment if isinstance(moment, datetime) else None


def chunks(ids: Sequence[T]) -> Iterator[list[T]]:
    """Yield the ids (or other values) in parts that fit into a statement of either database."""
    for first in range(0, len(ids), _CHUNK):
        yield list(ids[first : first + _CHUNK])


def noun(model: type[BaseModel]) -> str:
    """Return the word for a row of this table, such as `calendar setting`."""
    return str(model._meta.table_name).replace("_", " ")


def _check_unique(
    model: type[BaseModel], values: Mapping[str, Any], row: BaseModel | None = None
) -> None:
    """Raise Invalid on the last column of a set: on `username` if owner and username are unique."""
    singles = [(name,) for name, column in model._meta.fields.items() if column.unique]
    # Those that a model adds for some of its rows are not unique.
    indexes = [one for one in model._meta.indexes if isinstance(one, tuple)]
    together = [tuple(names) for names, unique in indexes if unique]
    for names in singles + together:
        if not set(names) & values.keys():
            continue
        column_values = [
            values[name] if name in values else getattr(row, name, None) for name in names
        ]
        if None in column_values:
            continue
        same = [
            model._meta.fields[name] == value
            for name, value in zip(names, column_values, strict=True)
        ]
        if model.select(model.id).where(*same, model.id != (row.id if row else 0)).exists():
            last = names[-1]
            raise Invalid({last: [f"another {noun(model)} has this {last} already"]})
