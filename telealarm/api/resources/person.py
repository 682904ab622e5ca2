"""person/: what is kept of the person behind a number, the export, and the erasure.

A manager acts on own rows, a superuser on everybody's. The number is in the body of a POST, because
addresses are written into logs.
"""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields import json_schema
from telealarm.api.fields.base import FieldType, Schema
from telealarm.api.fields.form import Form, Reply
from telealarm.api.fields.numbers import Flag
from telealarm.api.fields.reply import CREATED, Column, RowLink, SelfLink
from telealarm.api.fields.texts import Text
from telealarm.api.rest.resource import Resource
from telealarm.api.rest.tasks import Task
from telealarm.errors import Invalid
from telealarm.models import Erasure
from telealarm.store.person import erasures, export, found


class PersonWords(FieldType):
    """A list of texts that name a person."""

    def read(self, value: Any) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            raise ValueError('must be a list of texts like ["Ann Example"]')
        return value

    def schema(self) -> Schema:
        return {
            "type": "array",
            "items": {"type": "string", "minLength": 3, "maxLength": erasures.LONGEST_WORD},
            "maxItems": erasures.MOST_WORDS,
        }


class NumberForm(Form):
    number: Annotated[str, Text(80, 1)]
    """The phone number, in any form."""


class EraseForm(NumberForm):
    words: Annotated[list[str], PersonWords()] = Field(default_factory=list)
    """More texts that name the person, such as a full name. They are erased wherever they stand."""
    confirm: Annotated[bool, Flag()] = False
    """Must be true: it cannot be taken back. `person/find/` shows who is meant."""


def _owner(context: RequestContext) -> int | None:
    return None if context.login.is_superuser else context.user_id


def find(context: RequestContext, values: dict[str, Any]) -> dict[str, Any]:
    """List who is behind a number: by calendar, the names, and how many alarms"""
    person = found.find(found.scope(values["number"], _owner(context)))
    return {"people": [export.plain(entry) for entry in found.behind(person)]}


def export_all(context: RequestContext, values: dict[str, Any]) -> dict[str, Any]:
    """Return everything that is kept of the person behind a number"""
    owner = _owner(context)
    return export.document(values["number"], owner, context.voice_messages, context.now)


def erase(context: RequestContext, values: dict[str, Any]) -> dict[str, Any]:
    """Erase the person behind a number. The service carries it out at once; `erasure/` shows it"""
    if not values["confirm"]:
        raise Invalid({"confirm": ["must be true: an erasure cannot be taken back"]})
    number, words = values["number"], values["words"]
    order = erasures.begin(number, _owner(context), words, context.actor, context.now)
    return {"url": context.links.to("erasure", order.id)}


_PERSON: dict[str, Schema] = {
    "manager": {"type": "string"},
    "calendar": {"type": "string"},
    "names": {"type": "array", "items": {"type": "string"}},
    "numbers": {"type": "array", "items": {"type": "string"}},
    "alarms": {"type": "integer"},
    "last": json_schema.nullable(json_schema.MOMENT),
}
_PEOPLE: Schema = {"type": "array", "items": json_schema.thing(_PERSON, "FoundPerson")}
_ANYTHING: Schema = {"type": "object", "additionalProperties": True}

DOCUMENT: Schema = json_schema.thing(
    {
        "number": {"type": "string"},
        "exported": json_schema.MOMENT,
        "people": _PEOPLE,
        "names": {"type": "array", "items": {"type": "string"}},
        "mails": {"type": "array", "items": {"type": "string"}},
        "rows": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": _ANYTHING},
        },
        "mentions": {"type": "array", "items": _ANYTHING},
        "recordings": {"type": "array", "items": _ANYTHING},
    }
)

_EXAMPLE = {"number": "+34600100200"}

TASKS = (
    Task(
        "person/find/",
        "POST",
        find,
        NumberForm,
        reply=json_schema.thing({"people": _PEOPLE}),
        superusers_only=False,
        writes=False,
        personal=True,
        example=_EXAMPLE,
    ),
    Task(
        "person/export/",
        "POST",
        export_all,
        NumberForm,
        reply=DOCUMENT,
        superusers_only=False,
        writes=False,
        personal=True,
        example=_EXAMPLE,
    ),
    Task(
        "person/erase/",
        "POST",
        erase,
        EraseForm,
        reply=json_schema.thing({"url": json_schema.LINK}),
        superusers_only=False,
        personal=True,
        example={**_EXAMPLE, "confirm": True},
    ),
)


class ErasureReply(Reply):
    url: ClassVar = SelfLink("erasure")
    owner: ClassVar = RowLink(
        "users", "owner_id", null=True, meaning="Whose rows were erased; null: everybody's."
    )
    created_date: ClassVar = CREATED
    finished: ClassVar = Column(
        meaning="When it ended. null: it is being carried out, or a call of the person goes on."
    )
    rows: ClassVar = Column(meaning="How many rows were changed.")
    files: ClassVar = Column(meaning="How many recordings and prompts were deleted.")


ERASURE = Resource(
    name="erasure",
    model=Erasure,
    reply=ErasureReply,
    filters={"created_date": Erasure.created_date},
)
