"""Lists: pages of what a login sees, narrowed and ordered from closed sets."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from peewee import Field, ModelSelect

from telealarm.api.core.errors import ApiError
from telealarm.api.core.links import LARGEST_ID
from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields.numbers import Whole
from telealarm.api.rest import filters
from telealarm.api.rest.resource import Resource
from telealarm.errors import Invalid
from telealarm.store.access import visibility
from telealarm.store.engine import crud
from telealarm.store.engine.list_counts import Counts

PAGE_SIZE, LARGEST_PAGE = 100, 1000
PAGING = {"page": Whole(1, LARGEST_ID), "page_size": Whole(1, LARGEST_PAGE)}

Shown = dict[str, Any]
T = TypeVar("T")


def page(
    visit: RequestContext,
    query: "ModelSelect[Any]",
    show: Callable[[RequestContext, Any], Shown],
    order: Field,
) -> Shown:
    """`{"count", "next", "previous", "results"}`. Raises Invalid, or Refused with 404."""
    number, size = window(visit, PAGE_SIZE, LARGEST_PAGE)
    first = (number - 1) * size
    found = _some(query.order_by(order), number, size)
    more = len(found) > size
    count = query.count() if more else first + len(found)
    return _page(visit, number, count, more, [show(visit, row) for row in found[:size]])


def of_sequence(
    visit: RequestContext, found: Sequence[T], show: Callable[[Sequence[T]], list[Shown]]
) -> Shown:
    """The page that the address asks for, of what is all at hand already."""
    number, size = window(visit, PAGE_SIZE, LARGEST_PAGE)
    first = (number - 1) * size
    if number > 1 and first >= len(found):
        raise ApiError(404, "Invalid page.")
    more = len(found) > first + size
    return _page(visit, number, len(found), more, show(found[first : first + size]))


def of_resource(visit: RequestContext, resource: Resource, counts: Counts) -> Shown:
    """The page of a resource's list that the address asks for."""
    found = listed(visit, resource, PAGE_SIZE, LARGEST_PAGE)
    # The last page tells the count by itself.
    count = counts.of(found.query, visit.now) if found.more else found.before + len(found.results)
    return _page(visit, found.number, count, found.more, found.results)


@dataclass(frozen=True)
class Listed:
    """A page of a resource's list."""

    number: int
    # How many rows are on the pages before it.
    before: int
    # Selects the ids of all pages.
    query: "ModelSelect[Any]"
    results: list[Shown]
    # Whether another page follows.
    more: bool


def listed(visit: RequestContext, resource: Resource, default: int, most: int) -> Listed:
    """The page that the address asks for. Raises Invalid, naming all that is wrong with it.

    The ids of a page are found in the resource's own table, by its indexes, and what the replies
    need of other tables is joined to them alone: so the time is a page's, not a table's.
    """
    errors: dict[str, list[str]] = {}
    number, size, query = 1, default, visibility.ids(visit.login, resource.model)
    with _noted(errors):
        number, size = window(visit, default, most)
    with _noted(errors):
        query = filters.narrowed(visit, query, resource.filters)
    with _noted(errors):
        ordered = filters.ordered(visit, query, resource.orders)
    if errors:
        raise Invalid(errors)
    ids = [row_id for (row_id,) in _some(ordered.tuples(), number, size)]
    everything, found = visibility.rows(visit.login, resource.model), {}
    for part in crud.chunks(ids[:size]):
        for row in everything.where(resource.model.id.in_(part)):
            found[row.id] = resource.show(visit, row)
    # What was deleted between the two reads is left out.
    results = [found[row_id] for row_id in ids[:size] if row_id in found]
    return Listed(number, (number - 1) * size, query, results, len(ids) > size)


def window(visit: RequestContext, default: int, most: int) -> tuple[int, int]:
    """The page's number and size that the address asks for. Raises Invalid, naming both."""
    errors: dict[str, list[str]] = {}
    asked = {"page": (1, LARGEST_ID), "page_size": (default, most)}
    numbers = []
    for name, (otherwise, largest) in asked.items():
        try:
            numbers.append(Whole(1, largest).read(visit.query.get(name, otherwise)))
        except ValueError as error:
            errors[name] = [str(error)]
    if errors:
        raise Invalid(errors)
    return numbers[0], numbers[1]


def link(visit: RequestContext, number: int) -> str:
    """The address of another page of the same list."""
    query = urlencode({**visit.query, "page": number})
    return f"{visit.links.origin}{visit.path}?{query}"


@contextmanager
def _noted(errors: dict[str, list[str]]) -> Iterator[None]:
    """What is wrong here is told with the rest."""
    try:
        yield
    except Invalid as error:
        errors.update(error.fields)


def _some(query: "ModelSelect[Any]", number: int, size: int) -> list[Any]:
    """A page, and one more row if another page follows. Raises Refused where there is none."""
    found = list(query.limit(size + 1).offset((number - 1) * size))
    if number > 1 and not found:
        raise ApiError(404, "Invalid page.")
    return found


def _page(
    visit: RequestContext, number: int, count: int, more: bool, results: list[Shown]
) -> Shown:
    return {
        "count": count,
        "next": link(visit, number + 1) if more else None,
        "previous": link(visit, number - 1) if number > 1 else None,
        "results": results,
    }
