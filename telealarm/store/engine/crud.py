"""Writing a row of any table: unique columns, the date of the change, what still is in use."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from peewee import IntegrityError, ModelSelect

from telealarm.clock import utcnow
from telealarm.errors import Conflict, Invalid
from telealarm.models import ALL, BaseModel

T = TypeVar("T")
Row = TypeVar("Row", bound=BaseModel)

_CHUNK = 500


def insert(model: type[Row], values: Mapping[str, Any]) -> Row:
    """A new row. Raises Invalid where a unique column has that value already."""
    _check_unique(model, values)
    try:
        return model.create(**values)
    except IntegrityError as error:
        raise Conflict(f"Another {noun(model)} like this was written just now.") from error


def change(row: BaseModel, values: Mapping[str, Any]) -> None:
    """Write `values` to the row, and when that was. Raises Invalid as `insert` does."""
    model = type(row)
    _check_unique(model, values, row)
    columns = dict(values)
    if "updated_date" in model._meta.fields:
        columns["updated_date"] = utcnow()
    if not columns:
        return
    try:
        model.update(columns).where(model.id == row.id).execute()
    except IntegrityError as error:
        raise Conflict(f"What the {noun(model)} refers to was changed just now.") from error
    for name, value in columns.items():
        setattr(row, name, value)


def check_unused(row: BaseModel, *, but_hidden: bool = False) -> None:
    """Raise Conflict, with the reason, where another row refers to this one.

    `but_hidden`: rows that are marked as deleted may.
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
    """Whether another row, seen or hidden, refers to this one."""
    try:
        check_unused(row)
    except Conflict:
        return True
    return False


def remove(row: BaseModel) -> None:
    """Delete the row. Raises Conflict, with the reason, where another refers to it."""
    check_unused(row)
    try:
        type(row).delete().where(type(row).id == row.id).execute()
    except IntegrityError as error:
        raise Conflict(f"The {noun(type(row))} is in use.") from error


def first(query: "ModelSelect[Row]") -> Row | None:
    """The first row of the query, None if there is none: often so, or get_or_none() would do.

    peewee's own first() has no type, and its get_or_none() writes the SQL twice if there is no row.
    """
    return next(iter(query.limit(1)), None)


def selected_moment(query: "ModelSelect[Any]") -> datetime | None:
    """The moment that the query selects, None if there is none."""
    found = query.scalar()
    return found if isinstance(found, datetime) else None


def chunks(ids: Sequence[T]) -> Iterator[list[T]]:
    """The ids (or other values) in parts small enough for one statement on either database."""
    for first in range(0, len(ids), _CHUNK):
        yield list(ids[first : first + _CHUNK])


def noun(model: type[BaseModel]) -> str:
    """What a row of this table is called: `calendar setting`."""
    return str(model._meta.table_name).replace("_", " ")


def _check_unique(
    model: type[BaseModel], values: Mapping[str, Any], row: BaseModel | None = None
) -> None:
    """Names the last column of a set: `username` where owner and username are unique together."""
    singles = [(name,) for name, column in model._meta.fields.items() if column.unique]
    together = [tuple(names) for names, unique in model._meta.indexes if unique]
    for names in singles + together:
        if not set(names) & values.keys():
            continue
        found = [values[name] if name in values else getattr(row, name, None) for name in names]
        if None in found:
            continue
        same = [model._meta.fields[name] == value for name, value in zip(names, found, strict=True)]
        if model.select(model.id).where(*same, model.id != (row.id if row else 0)).exists():
            last = names[-1]
            raise Invalid({last: [f"another {noun(model)} has this {last} already"]})
