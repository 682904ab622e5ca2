"""A field is declared once: its reply, its schema and its column of a sheet come from the form."""

from typing import Annotated, ClassVar

import pytest

from telealarm.api.app import RESOURCES
from telealarm.api.fields.form import Form
from telealarm.api.fields.numbers import Whole
from telealarm.api.fields.reply import COLUMN, Column, Computed, fields_of, read_only
from telealarm.api.fields.texts import Secret, Text
from telealarm.api.rest import body_schemas
from telealarm.api.rest.resource import Resource


class RoomForm(Form):
    id: ClassVar = COLUMN
    name: Annotated[str, Text(10)]
    password: Annotated[str | None, Secret()] = None
    guests: ClassVar = Column("people")
    beds: Annotated[int, Whole(), Computed(lambda context, row: 2, {"const": 2})]


def test_a_reply_has_the_fields_in_the_order_of_the_form_and_no_password() -> None:
    assert list(fields_of(RoomForm)) == ["id", "name", "guests", "beds"]
    assert read_only(RoomForm) == {"id", "guests"}
    assert isinstance(fields_of(RoomForm)["beds"], Computed)


def test_what_nobody_may_write_is_no_field_of_a_body() -> None:
    assert list(RoomForm.model_fields) == ["name", "password", "beds"]


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.name)
def test_every_field_of_a_reply_has_a_column_in_the_sheet_and_a_schema(resource: Resource) -> None:
    properties = body_schemas.reply(resource)["properties"]
    assert properties
    if resource.answer is None:
        assert properties.keys() == fields_of(resource.fields).keys()
