"""survey-template/: surveys that can be edited. Sealing one makes a copy for calls."""

from typing import Annotated, Any, ClassVar

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields import json_schema
from telealarm.api.fields.form import Form
from telealarm.api.fields.reply import CREATED, UPDATED, SelfLink
from telealarm.api.fields.texts import Text, Word
from telealarm.api.resources import sealed_surveys
from telealarm.api.rest.resource import Action, Resource, Values, insert_into
from telealarm.models import SurveyTemplate
from telealarm.models.survey import FIRST, LAST
from telealarm.store.engine import crud
from telealarm.store.survey import surveys

LANGUAGE = Word(
    10, pattern=r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?", right="must be a language like en or en-GB"
)
COUNTS = Word(5, pattern=f"{FIRST}|{LAST}", right="must be first or last")


class SurveyTemplateForm(Form):
    url: ClassVar = SelfLink("survey-template")
    name: Annotated[str, Text(255, 1)]
    """The name of the survey in lists."""
    tts_language: Annotated[str, LANGUAGE] = "en"
    """The language of the scripts and of the built-in prompts."""
    description: Annotated[str | None, Text(10_000, lines=True)] = None
    """A note for people."""
    rating_counts: Annotated[str, COUNTS] = FIRST
    """Whether the first or the last rating in a call is the alarm's result."""
    created_date: ClassVar = CREATED
    updated_date: ClassVar = UPDATED


def change(context: RequestContext, row: SurveyTemplate, values: Values) -> None:
    surveys.check_open(row)
    crud.change(row, values)


def delete(context: RequestContext, row: SurveyTemplate) -> None:
    surveys.check_open(row)
    crud.remove(row)


def seal(context: RequestContext, row: SurveyTemplate, values: Values) -> dict[str, Any]:
    """Create a sealed survey: a copy that never changes"""
    return sealed_surveys.SEALED_SURVEY.show(context, surveys.seal(row))


SURVEY_TEMPLATE = Resource(
    name="survey-template",
    model=SurveyTemplate,
    form=SurveyTemplateForm,
    filters={"name": SurveyTemplate.name},
    orders={"name": SurveyTemplate.name},
    create=insert_into(SurveyTemplate),
    change=change,
    delete=delete,
    example={"name": "Appointment", "tts_language": "en"},
    actions=(Action("seal", "POST", seal, status=201, reply=json_schema.ref("SealedSurvey")),),
)
