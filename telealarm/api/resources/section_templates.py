"""section-template/: the sections of a survey template."""

from typing import Annotated, ClassVar

from pydantic import create_model

from telealarm import sections
from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields import of_section
from telealarm.api.fields.choices import Choice
from telealarm.api.fields.form import Form
from telealarm.api.fields.numbers import Flag, Whole
from telealarm.api.fields.relation import Relation
from telealarm.api.fields.reply import CREATED, UPDATED, SelfLink
from telealarm.api.fields.texts import Text
from telealarm.api.rest.resource import Resource, Values
from telealarm.models import SectionTemplate
from telealarm.store.engine import crud
from telealarm.store.survey import surveys

TYPES = Choice(
    {number: section_type.word for number, section_type in sections.section_types().items()}
)
RECORDING = Relation("audio-files")
SCRIPT = Text(10_000, lines=True)


class CommonForm(Form):
    """The fields of every section."""

    order: Annotated[int | None, Whole(0)] = None
    """The position of the section in the survey. Default: the last."""
    type: Annotated[int, TYPES]
    """The type of the section: what it does."""
    question: Annotated[str, Text(500)] = ""
    """The label of the section in reports."""
    script: Annotated[str, SCRIPT] = ""
    """What is spoken, with placeholders."""
    audiofile: Annotated[int | None, RECORDING] = None
    """The recording to play instead of the script."""
    invalid_audiofile: Annotated[int | None, RECORDING] = None
    """The recording to play after a wrong key."""
    retries: Annotated[int, Whole(0, 100)] = 0
    """How many times the section is repeated after a wrong key or no key."""
    timeout: Annotated[int, Whole(0, 600)] = 5
    """How many seconds to wait for a key. In a recording: how many seconds of silence end it."""


SECTION_FIELDS = of_section.form_fields(sections.fields(), taken=SectionTemplate._meta.fields)


class SectionContent(
    create_model("SectionFieldsForm", __base__=CommonForm, **SECTION_FIELDS)  # type: ignore[misc]
):
    """The content of a section. A sealed section shows the same fields."""

    completed: Annotated[bool, Flag()] = False
    """Whether every call that reaches this section is a success."""


class SectionTemplateForm(SectionContent):
    survey: Annotated[int, Relation("survey-template")]
    """The survey template that the section belongs to."""
    url: ClassVar = SelfLink("section-template")
    created_date: ClassVar = CREATED
    updated_date: ClassVar = UPDATED


def create(context: RequestContext, owner_id: int, values: Values) -> SectionTemplate:
    return surveys.add_section(values)


def change(context: RequestContext, row: SectionTemplate, values: Values) -> None:
    surveys.change_section(row, values)


def delete(context: RequestContext, row: SectionTemplate) -> None:
    surveys.check_open(row.survey)
    crud.remove(row)


SECTION_TEMPLATE = Resource(
    name="section-template",
    model=SectionTemplate,
    form=SectionTemplateForm,
    show_first=("url",),
    filters={"survey": SectionTemplate.survey, "type": SectionTemplate.type},
    create=create,
    change=change,
    delete=delete,
    parent="survey",
    example={
        "survey": "/rest-api/survey-template/1/",
        "type": 3,
        "question": "Will you come?",
        "script": "You have an appointment. Press 1 to confirm, 2 to cancel.",
        "rating_laps": 3,
    },
)
