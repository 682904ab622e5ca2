"""section-template/: the sections of a survey that is not sealed yet."""

from typing import Annotated, Any

from telealarm.api.core.request_context import RequestContext, stamp
from telealarm.api.fields.form import Form
from telealarm.api.fields.numbers import Choice, Flag, Whole
from telealarm.api.fields.texts import Phone, Text, Word
from telealarm.api.fields.values import Relation
from telealarm.api.rest.resource import Resource, Values
from telealarm.models import SectionTemplate
from telealarm.models.survey import SectionFields
from telealarm.store.engine import crud
from telealarm.store.survey import surveys
from telealarm.words import SectionType

KEYS = tuple(f"key_{digit}" for digit in range(10))
TYPES = Choice({kind.value: kind.name.lower().replace("_", " ") for kind in SectionType})
RECORDING = Relation("audio-files")
KEY_LABEL = Text(100)
SCRIPT = Text(10_000, lines=True)


class SectionTemplateForm(Form):
    order: Annotated[int | None, Whole(0)] = None
    type: Annotated[int, TYPES]
    question: Annotated[str, Text(500)] = ""
    script: Annotated[str, SCRIPT] = ""
    audiofile: Annotated[int | None, RECORDING] = None
    invalid_audiofile: Annotated[int | None, RECORDING] = None
    retries: Annotated[int, Whole(0, 100)] = 0
    timeout: Annotated[int, Whole(0, 600)] = 5
    key_0: Annotated[str | None, KEY_LABEL] = None
    key_1: Annotated[str | None, KEY_LABEL] = None
    key_2: Annotated[str | None, KEY_LABEL] = None
    key_3: Annotated[str | None, KEY_LABEL] = None
    key_4: Annotated[str | None, KEY_LABEL] = None
    key_5: Annotated[str | None, KEY_LABEL] = None
    key_6: Annotated[str | None, KEY_LABEL] = None
    key_7: Annotated[str | None, KEY_LABEL] = None
    key_8: Annotated[str | None, KEY_LABEL] = None
    key_9: Annotated[str | None, KEY_LABEL] = None
    rating_laps: Annotated[int, Whole()] = 9
    validate_number: Annotated[bool, Flag()] = True
    number_digits: Annotated[int, Whole(1, 50)] = 2
    min_number: Annotated[int, Whole()] = 0
    max_number: Annotated[int, Whole()] = 99
    recording_seconds: Annotated[int, Whole(1, 600)] = 60
    phonenumber: Annotated[str | None, Phone()] = None
    confirm_script: Annotated[str | None, SCRIPT] = None
    confirm_key: Annotated[
        str | None, Word(1, pattern=r"[0-9*#]?", right="must be a telephone key")
    ] = None
    conference: Annotated[str | None, Text(50)] = None
    sms_text: Annotated[str | None, Text(1000, lines=True)] = None
    completed: Annotated[bool, Flag()] = False
    survey: Annotated[int, Relation("survey-template")]


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
        **{key: getattr(row, key) for key in KEYS},
        "rating_laps": row.rating_laps,
        "validate_number": row.validate_number,
        "number_digits": row.number_digits,
        "min_number": row.min_number,
        "max_number": row.max_number,
        "recording_seconds": row.recording_seconds,
        "phonenumber": row.phonenumber,
        "confirm_script": row.confirm_script,
        "confirm_key": row.confirm_key,
        "conference": row.conference,
        "sms_text": row.sms_text,
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
