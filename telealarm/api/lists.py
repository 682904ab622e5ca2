"""Lists: pages of what a login sees, narrowed by filters from a closed set."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from peewee import Field, FloatField, ForeignKeyField, IntegerField, ModelSelect

from telealarm.api.errors import Refused
from telealarm.api.fields import Relation
from telealarm.api.links import LARGEST_ID, MODELS
from telealarm.api.numbers import Whole
from telealarm.api.texts import Text
from telealarm.api.visit import Visit
from telealarm.errors import Invalid
from telealarm.rules import phone

PAGE_SIZE, LARGEST_PAGE = 100, 1000
_RESOURCES = {model: resource for resource, model in MODELS.items()}

Filters = Mapping[str, Field]


def narrowed(visit: Visit, query: ModelSelect, filters: Filters) -> ModelSelect:
    """`query` with the filters of the address. Raises Invalid, naming each wrong one."""
    errors: dict[str, list[str]] = {}
    for name, text in visit.query.items():
        if name in ("page", "page_size", "format"):
            continue
        if name not in filters:
            known = ", ".join(filters) or "none"
            errors[name] = [f"there is no such filter; those here are: {known}"]
            continue
        try:
            query = query.where(filters[name] == _value(filters[name], text))
        except ValueError as error:
            errors[name] = [str(error)]
    if errors:
        raise Invalid(errors)
    return query


def page(
    visit: Visit, query: ModelSelect, show: Callable[[Visit, Any], dict[str, Any]], order: Field
) -> dict[str, Any]:
    """`{"count", "next", "previous", "results"}`. Raises Invalid, or Refused with 404."""
    size = _number(visit, "page_size", PAGE_SIZE, LARGEST_PAGE)
    number = _number(visit, "page", 1, LARGEST_ID)
    count = query.count()
    first = (number - 1) * size
    if number > 1 and first >= count:
        raise Refused(404, "Invalid page.")
    found = query.order_by(order).limit(size).offset(first)
    return {
        "count": count,
        "next": _link(visit, number + 1) if first + size < count else None,
        "previous": _link(visit, number - 1) if number > 1 else None,
        "results": [show(visit, row) for row in found],
    }


def _number(visit: Visit, name: str, default: int, most: int) -> int:
    try:
        return Whole(1, most).read(visit.query.get(name, default))
    except ValueError as error:
        raise Invalid({name: [str(error)]}) from None


def _value(column: Field, text: str) -> Any:
    if isinstance(column, ForeignKeyField) and column.rel_model in _RESOURCES:
        return Relation(_RESOURCES[column.rel_model]).read(text)
    if isinstance(column, ForeignKeyField | IntegerField | FloatField):
        return Whole().read(text)
    value = Text(500).read(text)
    return phone.clean(value) if "phone" in column.name else value


def _link(visit: Visit, number: int) -> str:
    query = urlencode({**visit.query, "page": number})
    return f"{visit.links.origin}{visit.path}?{query}"
