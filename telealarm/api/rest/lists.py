"""Lists: pages of the rows that a login sees, with filters and an order from closed sets."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlencode

from peewee import Field, ModelSelect

from telealarm.api.core.errors import ApiError
from telealarm.api.core.links import LARGEST_ID
from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields.numbers import Whole
from telealarm.api.rest import filters, search
from telealarm.api.rest.resource import Resource, Sheet
from telealarm.errors import Invalid
from telealarm.store.access import visibility
from telealarm.store.engine import crud
from telealarm.store.engine.list_counts import Counts
from telealarm.store.engine.search_index import Found

PAGE_SIZE, LARGEST_PAGE = 100, 1000
PAGING = {"page": Whole(1, LARGEST_ID), "page_size": Whole(1, LARGEST_PAGE)}

Shown = dict[str, Any]
T = TypeVar("T")


def page(
    context: RequestContext,
    query: "ModelSelect[Any]",
    show: Callable[[RequestContext, Any], Shown],
    order: Field,
) -> Shown:
    """Return `{"count", "next", "previous", "results"}`.

    Raises Invalid, or ApiError with 404 if there is no such page.
    """
    number, size = window(context, PAGE_SIZE, LARGEST_PAGE)
    first = (number - 1) * size
    rows = _some(query.order_by(order), number, size)
    more = len(rows) > size
    count = query.count() if more else first + len(rows)
    return _page(context, number, count, more, [show(context, row) for row in rows[:size]])


def of_sequence(
    context: RequestContext, items: Sequence[T], show: Callable[[Sequence[T]], list[Shown]]
) -> Shown:
    """Return the page that the address asks for, from items that are all in memory."""
    number, size = window(context, PAGE_SIZE, LARGEST_PAGE)
    first = (number - 1) * size
    if number > 1 and first >= len(items):
        raise ApiError(404, "Invalid page.")
    more = len(items) > first + size
    return _page(context, number, len(items), more, show(items[first : first + size]))


def of_resource(context: RequestContext, resource: Resource, counts: Counts) -> Shown:
    """Return the page of a resource's list that the address asks for."""
    listed_page = listed(context, resource, PAGE_SIZE, LARGEST_PAGE)
    there = listed_page.before + len(listed_page.results)
    count = listed_page.count
    if listed_page.more and count is None:
        if resource.searched and search.is_asked(context):
            count = listed_page.found.count()
        else:
            count = counts.of(listed_page.found.query, context.now)
    count = there if count is None else max(count, there)
    return _page(context, listed_page.number, count, listed_page.more, listed_page.results)


@dataclass(frozen=True)
class Listed:
    """A page of a resource's list."""

    number: int
    # The number of rows on the pages before it.
    before: int
    # Selects the ids of all pages.
    found: Found
    results: list[Shown]
    # Whether another page follows.
    more: bool
    # The number of rows of all pages, if it is known by the way.
    count: int | None = None


def listed(
    context: RequestContext,
    resource: Resource,
    default: int,
    most: int,
    sheet: Sheet | None = None,
) -> Listed:
    """Return the page that the address asks for, with the cells of `sheet`, if any.

    Raises Invalid with every mistake.

    The first query finds the ids of the page in the resource's table, by its indexes. The second
    joins other tables to these ids only. So the time depends on the page, not on the table.
    """
    errors: dict[str, list[str]] = {}
    number, size, query = 1, default, visibility.ids(context.login, resource.model)
    found = Found(query)
    with _noted(errors):
        number, size = window(context, default, most)
    with _noted(errors):
        others = (search.NAME,) if resource.searched else ()
        query = filters.narrowed(context, query, resource.filters, others)
        found = Found(query, apart=filters.apart(context, query, resource.filters))
    with _noted(errors):
        if resource.searched and search.is_asked(context):
            found = search.narrowed(context, query)
    with _noted(errors):
        filters.ordered(context, query, resource.orders, resource.filters)
    if errors:
        raise Invalid(errors)
    order = partial(filters.ordered, context, orders=resource.orders, filters=resource.filters)
    first = (number - 1) * size
    ids, count = found.page(order, first, size + 1)
    _there(number, ids)
    results: list[Shown] = []
    for part in crud.chunks(ids[:size]):
        there = visibility.find_all(context.login, resource.model, part)
        # Leave out rows that were deleted between the two reads.
        rows = [there[row_id] for row_id in part if row_id in there]
        if resource.load is not None:
            resource.load(rows)
        more = sheet.cells(context, rows) if sheet else [{}] * len(rows)
        for row, cells in zip(rows, more, strict=True):
            results.append({**cells, **resource.show(context, row)})
    return Listed(number, first, found, results, len(ids) > size, count)


def window(context: RequestContext, default: int, most: int) -> tuple[int, int]:
    """Return the page's number and size that the address asks for.

    Raises Invalid with each mistake.
    """
    errors: dict[str, list[str]] = {}
    asked = {"page": (1, LARGEST_ID), "page_size": (default, most)}
    numbers = []
    for name, (otherwise, largest) in asked.items():
        try:
            numbers.append(Whole(1, largest).read(context.query.get(name, otherwise)))
        except ValueError as error:
            errors[name] = [str(error)]
    if errors:
        raise Invalid(errors)
    return numbers[0], numbers[1]


def link(context: RequestContext, number: int) -> str:
    """Return the address of another page of the same list."""
    query = urlencode({**context.query, "page": number})
    return f"{context.links.origin}{context.path}?{query}"


@contextmanager
def _noted(errors: dict[str, list[str]]) -> Iterator[None]:
    """Collect the errors of the block, so that all are reported together."""
    try:
        yield
    except Invalid as error:
        errors.update(error.fields)


def _some(query: "ModelSelect[Any]", number: int, size: int) -> list[Any]:
    """Return a page, and one more row if another page follows.

    Raises ApiError with 404 if there is no such page.
    """
    return _there(number, list(query.limit(size + 1).offset((number - 1) * size)))


def _there(number: int, rows: list[T]) -> list[T]:
    if number > 1 and not rows:
        raise ApiError(404, "Invalid page.")
    return rows


def _page(
    context: RequestContext, number: int, count: int, more: bool, results: list[Shown]
) -> Shown:
    return {
        "count": count,
        "next": link(context, number + 1) if more else None,
        "previous": link(context, number - 1) if number > 1 else None,
        "results": results,
    }
