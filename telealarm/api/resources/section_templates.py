"""section-template/: the sections of a survey that is not sealed yet."""

from typing import Annotated, Any

from pydantic import create_model

from telealarm import sections
from telealarm.api.core.request_context import RequestContext, stamp
from telealarm.api.fields import of_section
from telealarm.api.fields.form import Form
from telealarm.api.fields.numbers import Choice, Flag, Whole
from telealarm.api.fields.texts import Text
from telealarm.api.fields.values import Relation
from telealarm.api.rest.resource import Resource, Values
from telealarm.models import SectionTemplate
from telealarm.models.survey import SectionFields
from telealarm.store.engine import crud
from telealarm.store.survey import surveys

TYPES = Choice({number: kind.word for number, kind in sections.section_types().items()})
RECORDING = Relation("audio-files")
SCRIPT = Text(10_000, lines=True)


class CommonForm(Form):
    """The fields of every section."""

    order: Annotated[int | None, Whole(0)] = None
    """The place of the section in the survey; without it, the last."""
    type: Annotated[int, TYPES]
    """What the section does."""
    question: Annotated[str, Text(500)] = ""
    """The label of the section in reports."""
    script: Annotated[str, SCRIPT] = ""
    """What is spoken, with placeholders."""
    audiofile: Annotated[int | None, RECORDING] = None
    """The recording that is played instead of the script."""
    invalid_audiofile: Annotated[int | None, RECORDING] = None
    """The recording that follows a wrong key."""
    retries: Annotated[int, Whole(0, 100)] = 0
    """How many times the section is repeated after a wrong key or none."""
    timeout: Annotated[int, Whole(0, 600)] = 5
    """For how many seconds a key is waited for; of a recording, how much silence ends it."""


SECTION_FIELDS = of_section.form_fields(sections.fields(), taken=SectionTemplate._meta.fields)


class SectionTemplateForm(
    create_model("SectionFieldsForm", __base__=CommonForm, **SECTION_FIELDS)  # type: ignore[misc]
):
    completed: Annotated[bool, Flag()] = False
    """Whether the call is a success for everybody who reaches this section."""
    survey: Annotated[int, Relation("survey-template")]
    """The survey template that the section belongs to."""


def content(visit: RequestContext, row: SectionFields) -> dict[str, Any]:
    """What a section is made of; a sealed one shows the same."""
    return {
        "order": row.order,
        "type": row.type,
        "question": row.question,
        "script": row.script,
        "audiofile": visit.links.maybe("audio-files", row.audiofile_id),
        "invalid_audiofile": visit.links.maybe("audio-files", row.invalid_audiofile_id),
        "retries": row.retries,
        "timeout": row.timeout,
        **{name: row.settings.get(name, sections.default(name)) for name in sections.fields()},
        "completed": row.completed,
    }


def show(visit: RequestContext, row: SectionTemplate) -> dict[str, Any]:
    return {
        "url": visit.links.to("section-template", row.id),
        **content(visit, row),
        "survey": visit.links.to("survey-template", row.survey_id),
        "created_date": stamp(row.created_date),
        "updated_date": stamp(row.updated_date),
    }


def create(visit: RequestContext, owner_id: int, values: Values) -> SectionTemplate:
    return surveys.add_section(values)


def change(visit: RequestContext, row: SectionTemplate, values: Values) -> None:
    surveys.change_section(row, values)


def delete(visit: RequestContext, row: SectionTemplate) -> None:
    surveys.check_open(row.survey)
    crud.remove(row)


SECTION_TEMPLATE = Resource(
    name="section-template",
    model=SectionTemplate,
    show=show,
    form=SectionTemplateForm,
    read_only=frozenset({"url", "created_date", "updated_date"}),
    filters={"survey": SectionTemplate.survey, "type": SectionTemplate.type},
    create=create,
    change=change,
    delete=delete,
    parent="survey",
)
