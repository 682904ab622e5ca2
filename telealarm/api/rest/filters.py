"""Filters and orders of lists. The address of a list chooses from closed sets."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import eq, ge, gt, le, lt, or_
from typing import Any

from peewee import Expression, Field, FloatField, ForeignKeyField, IntegerField, ModelSelect

from telealarm.api.core.links import MODELS
from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields.base import FieldType, Schema
from telealarm.api.fields.numbers import Whole
from telealarm.api.fields.relation import Relation
from telealarm.api.fields.texts import SoughtPhone, Text
from telealarm.api.fields.times import QueryMoment
from telealarm.errors import Invalid
from telealarm.models.base import UtcField
from telealarm.rules import dates
from telealarm.store.engine import time_zones


class Condition(FieldType):
    """A filter whose value stands for conditions of which one must hold."""

    def read(self, value: Any) -> list[Expression]:
        raise NotImplementedError


@dataclass(frozen=True)
class NumberFilter(Condition):
    """A filter by a phone number that another table holds."""

    condition: Callable[[str], Expression]

    def read(self, value: Any) -> list[Expression]:
        return [self.condition(SoughtPhone().read(value))]

    def schema(self) -> Schema:
        return SoughtPhone().schema()


@dataclass(frozen=True)
class WordFilter(Condition):
    """A filter by words. Each word stands for conditions of which one must hold.

    Conditions of one word exclude each other, and an index has the rows of each in order. Of
    several words, one must match.
    """

    conditions: Mapping[str, Sequence[Expression]]

    def read(self, value: Any) -> list[Expression]:
        asked = list(dict.fromkeys(str(value).split(",")))
        if not set(asked) <= set(self.conditions):
            raise ValueError(
                f"must be one of {', '.join(self.conditions)}, or several with commas between"
            )
        return [condition for word in asked for condition in self.conditions[word]]

    def schema(self) -> Schema:
        word = f"({'|'.join(self.conditions)})"
        return {"type": "string", "pattern": f"^{word}(,{word})*$"}


# By name: the column to compare, or a condition. A moment also has `name__gte` and so on.
Filters = Mapping[str, Field | Condition]
Orders = Mapping[str, Field]

# The other parameters of a list's address.
PAGING = ("page", "page_size", "format", "ordering")

_RESOURCES = {model: resource for resource, model in MODELS.items()}
_RANGES: Mapping[str, Callable[[Any, Any], Any]] = {
    "__gte": ge,
    "__lte": le,
    "__gt": gt,
    "__lt": lt,
}


def choices(
    filters: Filters,
) -> Iterator[tuple[str, Field | Condition, Callable[[Any, Any], Any]]]:
    """Yield every filter: its name, its column or condition, and the comparison."""
    for name, column in filters.items():
        yield name, column, eq
        if isinstance(column, UtcField):
            for ending, compare in _RANGES.items():
                yield name + ending, column, compare


def kind_of(column: Field | Condition) -> FieldType:
    """Return the field type that reads the value of this filter."""
    if isinstance(column, Condition):
        return column
    if isinstance(column, ForeignKeyField) and column.rel_model in _RESOURCES:
        return Relation(_RESOURCES[column.rel_model])
    if isinstance(column, UtcField):
        return QueryMoment()
    if isinstance(column, IntegerField | FloatField | ForeignKeyField):
        return Whole()
    return SoughtPhone() if "phone" in column.name else Text(500)


def narrowed(
    context: RequestContext,
    query: "ModelSelect[Any]",
    filters: Filters,
    others: Collection[str] = (),
) -> "ModelSelect[Any]":
    """Return `query` with the filters of the address. Raises Invalid with each wrong filter.

    `others` are parameters that something else reads.
    """
    errors: dict[str, list[str]] = {}
    known = {name: (column, compare) for name, column, compare in choices(filters)}
    for name, text in context.query.items():
        if name in PAGING or name in others:
            continue
        if name not in known:
            filters_there = ", ".join([*known, *others]) or "none"
            errors[name] = [f"there is no such filter; the filters are: {filters_there}"]
            continue
        column, compare = known[name]
        try:
            value = _value(column, text)
            if isinstance(column, Condition):
                query = query.where(reduce(or_, value))
            else:
                query = query.where(_holds(query, column, compare(column, value)))
        except ValueError as error:
            errors[name] = [str(error)]
    if errors:
        raise Invalid(errors)
    return query


def apart(
    context: RequestContext, query: "ModelSelect[Any]", filters: Filters
) -> "list[ModelSelect[Any]]":
    """Return queries that have the rows of `query` together, and no row twice.

    A filter by words may stand for several conditions. No index has the rows of all in order.
    """
    for name, column in filters.items():
        if isinstance(column, Condition) and name in context.query:
            return [query.where(condition) for condition in column.read(context.query[name])]
    return [query]


def ordered(
    context: RequestContext,
    query: "ModelSelect[Any]",
    orders: Orders,
    filters: Filters | None = None,
) -> "ModelSelect[Any]":
    """Return `query` in the order of `?ordering=`. Equal rows are in the order of their ids.

    Without `?ordering=`, a list of a time range is in the order of that time. Every other list is
    in the order of its ids. So the first page is at the beginning of an index. It is fast for a
    list of any length.
    """
    row_id = query.model.id
    asked = context.query.get("ordering")
    if asked is None:
        key = next(_ranges(context, query, filters or {}), row_id)
        return query.order_by(*([key] if key is row_id else [key, row_id]))
    known = {"id": row_id, **orders}
    name = asked.removeprefix("-")
    if name not in known:
        raise Invalid({"ordering": [f"must be one of {', '.join(order_words(orders))}"]})
    columns = [known[name]] if name == "id" else [known[name], row_id]
    return query.order_by(*(key.desc() if asked.startswith("-") else key for key in columns))


def _ranges(context: RequestContext, query: "ModelSelect[Any]", filters: Filters) -> Iterator[Any]:
    """Yield the times of which the address asks for a range."""
    for name, column in filters.items():
        is_own = isinstance(column, UtcField) and column.model is query.model
        if is_own and any(name + ending in context.query for ending in _RANGES):
            yield column


def order_words(orders: Orders) -> list[str]:
    """Return the words that `?ordering=` accepts."""
    return [sign + name for name in ("id", *orders) for sign in ("", "-")]


def _holds(query: "ModelSelect[Any]", column: Field, condition: Any) -> Any:
    """Return `condition`, also if its column is in a table that the query's table refers to."""
    if column.model is query.model:
        return condition
    key = query.model._meta.model_refs[column.model][0]
    return key.in_(column.model.select(column.model.id).where(condition))


def _value(column: Field | Condition, text: str) -> Any:
    value = kind_of(column).read(text)
    if isinstance(column, UtcField):
        return dates.to_utc(value, time_zones.configured())
    return value
