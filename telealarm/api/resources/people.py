"""person/: people, whom events are about. Export and erasure of one are here too."""

import re
from datetime import date, time
from typing import Annotated, Any, ClassVar

from pydantic import Field

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields import json_schema
from telealarm.api.fields.base import FieldType, Schema
from telealarm.api.fields.choices import OneOf
from telealarm.api.fields.form import Form
from telealarm.api.fields.numbers import Flag
from telealarm.api.fields.relation import Relation
from telealarm.api.fields.reply import CREATED, UPDATED, Computed, SelfLink
from telealarm.api.fields.texts import Phone, Text, Zone
from telealarm.api.fields.times import Clock
from telealarm.api.resources import person
from telealarm.api.resources.mail_templates import ADDRESS
from telealarm.api.resources.survey_templates import LANGUAGE
from telealarm.api.rest.filters import NumberFilter
from telealarm.api.rest.resource import Action, Resource, Values
from telealarm.errors import Invalid
from telealarm.models import Person
from telealarm.store.person import erasures, export, people
from telealarm.words import CarerMode

MOST_NUMBERS = 10
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class Numbers(FieldType):
    """A list of phone numbers, the preferred one first. null is an empty list."""

    def read(self, value: Any) -> list[str]:
        if not isinstance(value, list) or len(value) > MOST_NUMBERS:
            raise ValueError(f'must be a list of at most {MOST_NUMBERS} numbers, like ["+34600"]')
        return [Phone(min_length=1).read(text) for text in value]

    def schema(self) -> Schema:
        return {"type": "array", "items": Phone(min_length=1).schema(), "maxItems": MOST_NUMBERS}

    def show(self, context: RequestContext, row: Any, name: str) -> Any:
        return [known.number for known in people.loaded(row).known_numbers]

    def shown(self) -> Schema:
        return {"type": "array", "items": {"type": "string"}}


class Day(FieldType):
    """A date, YYYY-MM-DD."""

    def read(self, value: Any) -> date:
        try:
            if not isinstance(value, str) or not _DAY.fullmatch(value.strip()):
                raise ValueError
            return date.fromisoformat(value.strip())
        except ValueError:
            raise ValueError("must be a date like 2026-12-25") from None

    def schema(self) -> Schema:
        return {"type": "string", "format": "date", "examples": ["2026-12-25"]}

    def show(self, context: RequestContext, row: Any, name: str) -> Any:
        day = getattr(row, name)
        return day and day.isoformat()


class MaybeClock(Clock):
    """A time of day, or null."""

    def show(self, context: RequestContext, row: Any, name: str) -> Any:
        return None if getattr(row, name) is None else super().show(context, row, name)


class PersonForm(Form):
    url: ClassVar = SelfLink("person")
    name: Annotated[str, Text(200, 1)]
    """The name. It is the placeholder `{person_name}`."""
    first_name: Annotated[str, Text(100)] = ""
    """How the person is addressed. It is the placeholder `{person_first_name}`."""
    numbers: Annotated[list[str], Numbers()] = Field(default_factory=list)
    """The phone numbers, the preferred one first. Alarms of the person's events go to the first."""
    e164: ClassVar = Computed(
        lambda context, row: [known.e164 for known in people.loaded(row).known_numbers],
        {"type": "array", "items": {"type": ["string", "null"]}},
        meaning="The numbers in E.164 form, in the same order; null: not known.",
    )
    email: Annotated[str, ADDRESS] = ""
    """The mail address. Alarms by mail of the person's events go there."""
    language: Annotated[str | None, LANGUAGE] = None
    """The language, for alarms that have none of their own."""
    timezone: Annotated[str | None, Zone()] = None
    """The time zone, for alarms that have none of their own."""
    daily_start: Annotated[time | None, MaybeClock()] = None
    """From when on the person likes to be rung, in the person's time zone. null: at any hour."""
    daily_stop: Annotated[time | None, MaybeClock()] = None
    """Until when. If it is before `daily_start`, the hours cross midnight."""
    carer: Annotated[int | None, Relation("person")] = None
    """Another person, who is asked `instead` or `also`: see `carer_mode`."""
    carer_mode: Annotated[str, OneOf(("", *CarerMode))] = ""
    """Whether the carer is asked instead of the person, or gets an alarm beside the person's."""
    consent: Annotated[bool | None, Flag()] = None
    """Whether the person agreed to be called. null: nobody has asked."""
    consent_source: Annotated[str, Text(200)] = ""
    """Where the consent comes from, such as a form."""
    consent_date: Annotated[date | None, Day()] = None
    """The day of the consent."""
    notes: Annotated[str, Text(10_000, lines=True)] = ""
    """A note for people."""
    external_id: Annotated[str | None, Text(100)] = None
    """The id of the person in your own software. Two people of a manager never have the same."""
    do_not_call: ClassVar = Computed(
        lambda context, row: people.loaded(row).do_not_call,
        {"type": "boolean"},
        meaning="Whether a number or the address is on a do-not-call list, by a `dnc-contact`.",
    )
    created_date: ClassVar = CREATED
    updated_date: ClassVar = UPDATED


def create(context: RequestContext, owner_id: int, values: Values) -> Person:
    return people.create(owner_id, values, context.now)


def change(context: RequestContext, row: Person, values: Values) -> None:
    people.change(row, values, context.now)


def delete(context: RequestContext, row: Person) -> None:
    people.delete(row, context.now)


def export_one(context: RequestContext, row: Person, values: Values) -> dict[str, Any]:
    """Return everything that is kept of this person

    What another person shares, such as a number of the family, is left out.
    """
    return export.of_person(row, context.voice_messages, context.now)


def erase_one(context: RequestContext, row: Person, values: Values) -> dict[str, Any]:
    """Erase this person. The service carries it out at once; `erasure/` shows it

    What waits is called off. What another person shares, such as a number of the family, stays.
    """
    if not values["confirm"]:
        raise Invalid({"confirm": ["must be true: an erasure cannot be taken back"]})
    order = erasures.begin_person(row, context.now)
    return {"url": context.links.to("erasure", order.id)}


class EraseOneForm(Form):
    confirm: Annotated[bool, Flag()] = False
    """Must be true: it cannot be taken back."""


PERSON = Resource(
    name="person",
    model=Person,
    form=PersonForm,
    searched=True,
    filters={
        "name": Person.name,
        "number": NumberFilter(people.with_number),
        "external_id": Person.external_id,
        "carer": Person.carer,
    },
    orders={"name": Person.name},
    load=people.load,
    create=create,
    change=change,
    delete=delete,
    example={
        "name": "Ann Example",
        "first_name": "Ann",
        "numbers": ["+34600100200", "+34910100200"],
        "email": "ann@example.com",
        "language": "es",
        "timezone": "Europe/Madrid",
        "daily_start": "09:00:00",
        "daily_stop": "20:00:00",
        "consent": True,
        "consent_source": "form at the desk",
        "consent_date": "2026-03-02",
        "external_id": "P-1001",
    },
    actions=(
        Action("export", "GET", export_one, operation="export_one", reply=person.DOCUMENT),
        Action(
            "erase",
            "POST",
            erase_one,
            EraseOneForm,
            operation="erase_one",
            reply=json_schema.thing({"url": json_schema.LINK}),
            example={"confirm": True},
        ),
    ),
)
