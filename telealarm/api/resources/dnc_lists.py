"""dnc-list/: lists of numbers that are never dialled."""

from typing import Annotated, Any

from telealarm.api.core.request_context import RequestContext, stamp
from telealarm.api.fields.form import Form
from telealarm.api.fields.texts import Text
from telealarm.api.rest.resource import Resource, change_row, insert_into, remove_row
from telealarm.models import DncList


class DncListForm(Form):
    name: Annotated[str, Text(100, 1)]
    """What the list is called."""
    description: Annotated[str | None, Text(10_000, lines=True)] = None
    """A note for people."""


def show(visit: RequestContext, row: DncList) -> dict[str, Any]:
    return {
        "url": visit.links.to("dnc-list", row.id),
        "name": row.name,
        "description": row.description,
        "created_date": stamp(row.created_date),
        "updated_date": stamp(row.updated_date),
    }


DNC_LIST = Resource(
    name="dnc-list",
    model=DncList,
    show=show,
    form=DncListForm,
    read_only=frozenset({"url", "created_date", "updated_date"}),
    filters={"name": DncList.name},
    create=insert_into(DncList),
    change=change_row,
    delete=remove_row,
)
