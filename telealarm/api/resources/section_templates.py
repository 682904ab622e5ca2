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
    key_0: Annotated[str | None, KEY_LABEL] = None
    """The label of key 0 in a multi-choice; without one the key is refused."""
    key_1: Annotated[str | None, KEY_LABEL] = None
    """The label of key 1 in a multi-choice; without one the key is refused."""
    key_2: Annotated[str | None, KEY_LABEL] = None
    """The label of key 2 in a multi-choice; without one the key is refused."""
    key_3: Annotated[str | None, KEY_LABEL] = None
    """The label of key 3 in a multi-choice; without one the key is refused."""
    key_4: Annotated[str | None, KEY_LABEL] = None
    """The label of key 4 in a multi-choice; without one the key is refused."""
    key_5: Annotated[str | None, KEY_LABEL] = None
    """The label of key 5 in a multi-choice; without one the key is refused."""
    key_6: Annotated[str | None, KEY_LABEL] = None
    """The label of key 6 in a multi-choice; without one the key is refused."""
    key_7: Annotated[str | None, KEY_LABEL] = None
    """The label of key 7 in a multi-choice; without one the key is refused."""
    key_8: Annotated[str | None, KEY_LABEL] = None
    """The label of key 8 in a multi-choice; without one the key is refused."""
    key_9: Annotated[str | None, KEY_LABEL] = None
    """The label of key 9 in a multi-choice; without one the key is refused."""
    rating_laps: Annotated[int, Whole()] = 9
    """A rating takes the keys from 1 to this number."""
    validate_number: Annotated[bool, Flag()] = True
    """Whether captured digits must lie within `min_number` and `max_number`."""
    number_digits: Annotated[int, Whole(1, 50)] = 2
    """How many digits are captured at most."""
    min_number: Annotated[int, Whole()] = 0
    """The least number that is taken."""
    max_number: Annotated[int, Whole()] = 99
    """The greatest number that is taken."""
    recording_seconds: Annotated[int, Whole(1, 600)] = 60
    """How long a recorded message may be."""
    phonenumber: Annotated[str | None, Phone()] = None
    """The agent of a call transfer; without it, the alarm's `phonenumber_transfer`."""
    confirm_script: Annotated[str | None, SCRIPT] = None
    """What the agent hears before taking the call."""
    confirm_key: Annotated[
        str | None, Word(1, pattern=r"[0-9*#]?", right="must be a telephone key")
    ] = None
    """The key by which the agent takes the call; without it, the agent takes it by answering."""
    conference: Annotated[str | None, Text(50)] = None
    """The name of the conference that the callee joins."""
    sms_text: Annotated[str | None, Text(1000, lines=True)] = None
    """The text of the SMS to the callee, with placeholders."""
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
