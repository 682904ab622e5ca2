"""Filters and orders of lists: closed sets, which the address of a list chooses from."""

from collections.abc import Callable, Iterator, Mapping
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
from telealarm.api.fields.texts import Phone, Text
from telealarm.api.fields.times import QueryMoment
from telealarm.errors import Invalid
from telealarm.models.base import UtcField
from telealarm.rules import dates
from telealarm.store.engine import time_zones


@dataclass(frozen=True)
class Words(FieldType):
    """A filter by words, each of which stands for a condition; between commas, one is enough."""

    conditions: Mapping[str, Expression]

    def read(self, value: Any) -> Expression:
        asked = str(value).split(",")
        if not set(asked) <= set(self.conditions):
            raise ValueError(
                f"must be one of {', '.join(self.conditions)}, or several with commas between"
            )
        return reduce(or_, (self.conditions[word] for word in asked))

    def schema(self) -> Schema:
        word = f"({'|'.join(self.conditions)})"
        return {"type": "string", "pattern": f"^{word}(,{word})*$"}


# By name, the column that is compared, or words; of a moment, also `name__gte` and so on.
Filters = Mapping[str, Field | Words]
Orders = Mapping[str, Field]

# What else the address of a list may hold.
PAGING = ("page", "page_size", "format", "ordering")

_RESOURCES = {model: resource for resource, model in MODELS.items()}
_RANGES: Mapping[str, Callable[[Any, Any], Any]] = {
    "__gte": ge,
    "__lte": le,
    "__gt": gt,
    "__lt": lt,
}


def choices(filters: Filters) -> Iterator[tuple[str, Field | Words, Callable[[Any, Any], Any]]]:
    """Every filter that can be asked for: its name, its column or words, and the comparison."""
    for name, column in filters.items():
        yield name, column, eq
        if isinstance(column, UtcField):
            for ending, compare in _RANGES.items():
                yield name + ending, column, compare


def kind_of(column: Field | Words) -> FieldType:
    """How a filter by this column, or by these words, reads what was sent."""
    if isinstance(column, Words):
        return column
    if isinstance(column, ForeignKeyField) and column.rel_model in _RESOURCES:
        return Relation(_RESOURCES[column.rel_model])
    if isinstance(column, UtcField):
        return QueryMoment()
    if isinstance(column, IntegerField | FloatField | ForeignKeyField):
        return Whole()
    return Phone() if "phone" in column.name else Text(500)


def narrowed(
    visit: RequestContext, query: "ModelSelect[Any]", filters: Filters
) -> "ModelSelect[Any]":
    """`query` with the filters of the address. Raises Invalid, naming each wrong one."""
    errors: dict[str, list[str]] = {}
    known = {name: (column, compare) for name, column, compare in choices(filters)}
    for name, text in visit.query.items():
        if name in PAGING:
            continue
        if name not in known:
            errors[name] = [
                f"there is no such filter; those here are: {', '.join(known) or 'none'}"
            ]
            continue
        column, compare = known[name]
        try:
            value = _value(column, text)
            if isinstance(column, Words):
                query = query.where(value)
            else:
                query = query.where(_holds(query, column, compare(column, value)))
        except ValueError as error:
            errors[name] = [str(error)]
    if errors:
        raise Invalid(errors)
    return query


def ordered(visit: RequestContext, query: "ModelSelect[Any]", orders: Orders) -> "ModelSelect[Any]":
    """`query` in the order of `?ordering=`; rows that are equal in it, by id.

    Without it a range of time comes in its own order, and anything else by id: so an index has
    the first page at its beginning, however long the list is.
    """
    own = query.model.id
    known = {"id": own, **orders}
    ranges = (name for name in orders if any(name + ending in visit.query for ending in _RANGES))
    asked = visit.query.get("ordering", next(ranges, "id"))
    name = asked.removeprefix("-")
    if name not in known:
        raise Invalid({"ordering": [f"must be one of {', '.join(order_words(orders))}"]})
    columns = [known[name]] if name == "id" else [known[name], own]
    return query.order_by(*(one.desc() if asked.startswith("-") else one for one in columns))


def order_words(orders: Orders) -> list[str]:
    """What `?ordering=` may say."""
    return [sign + name for name in ("id", *orders) for sign in ("", "-")]


def _holds(query: "ModelSelect[Any]", column: Field, condition: Any) -> Any:
    """`condition`, also where its column is of a table that the query's own refers to."""
    if column.model is query.model:
        return condition
    key = query.model._meta.model_refs[column.model][0]
    return key.in_(column.model.select(column.model.id).where(condition))


def _value(column: Field | Words, text: str) -> Any:
    value = kind_of(column).read(text)
    if isinstance(column, UtcField):
        return dates.to_utc(value, time_zones.configured())
    return value
