"""dnc-list/: lists of numbers that are never dialled."""

from typing import Annotated, ClassVar

from telealarm.api.fields.form import Form
from telealarm.api.fields.reply import CREATED, UPDATED, SelfLink
from telealarm.api.fields.texts import Text
from telealarm.api.rest.resource import Resource, change_row, insert_into, remove_row
from telealarm.models import DncList


class DncListForm(Form):
    url: ClassVar = SelfLink("dnc-list")
    name: Annotated[str, Text(100, 1)]
    """The name of the list."""
    description: Annotated[str | None, Text(10_000, lines=True)] = None
    """A note for people."""
    created_date: ClassVar = CREATED
    updated_date: ClassVar = UPDATED


DNC_LIST = Resource(
    name="dnc-list",
    model=DncList,
    form=DncListForm,
    filters={"name": DncList.name},
    create=insert_into(DncList),
    change=change_row,
    delete=remove_row,
    example={"name": "asked us to stop"},
)
