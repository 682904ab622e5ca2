"""sealed-survey/: surveys that never change. surveyaggregate/: the counts of their answers."""

from typing import Annotated, Any, ClassVar

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields import json_schema, reply
from telealarm.api.fields.form import Form, Reply
from telealarm.api.fields.json import Json
from telealarm.api.fields.reply import COLUMN, CREATED, UPDATED, Computed, RowLink, SelfLink
from telealarm.api.fields.texts import Phone
from telealarm.api.resources.section_templates import SectionContent
from telealarm.api.rest import body_schemas
from telealarm.api.rest.resource import Action, CustomReply, Resource, Values
from telealarm.models import Section, Survey
from telealarm.store.dialing import call_log, test_calls
from telealarm.store.survey import surveys


class CallForm(Form):
    phonenumber: Annotated[str, Phone(min_length=1)]
    """The number of the trial call."""
    data: Annotated[dict[str, Any] | None, Json()] = None
    """Values for the placeholders."""


def call(context: RequestContext, row: Survey, values: Values) -> dict[str, Any]:
    """Call one number with the survey now, to try it. The reply has links to follow the call"""
    request = test_calls.call(row, values["phonenumber"], values["data"], context.now)
    alarm = context.links.to("alarm", request.alarm_id)
    return {
        "url": context.links.to("alarm-request", request.id),
        "alarm": alarm,
        "timeline": f"{alarm}timeline/",
        "event": context.links.to("event", request.alarm.event_id),
        "calls": f"{context.links.all('callrequest')}?alarm={request.alarm_id}",
    }


def show_answers(context: RequestContext, row: Survey) -> dict[str, Any]:
    rows = call_log.aggregate(row)
    return {
        "count": len(rows),
        "next": None,
        "previous": None,
        "results": [
            {
                "survey": context.links.to("sealed-survey", row.id),
                "section": answer.section,
                "question": answer.question,
                "response": answer.response,
                "count": answer.count,
            }
            for answer in rows
        ],
    }


def sections(context: RequestContext, row: Survey) -> list[dict[str, Any]]:
    return [
        {
            "id": section.id,
            **reply.show(context, section, SectionContent),
            "branchings": [{"keys": branch.keys, "goto": branch.goto_id} for branch in branchings],
        }
        for section, branchings in surveys.outline(row)
    ]


_BRANCHING = json_schema.thing(
    {"keys": {"type": "string"}, "goto": {"type": ["integer", "null"]}}, "SealedBranching"
)
_SECTION = json_schema.thing(
    {
        "id": {"type": "integer"},
        **{
            name: body_schemas.shown(SectionContent, Section, name)
            for name in reply.fields_of(SectionContent)
        },
        "branchings": {"type": "array", "items": _BRANCHING},
    },
    "SealedSection",
)


class SealedSurveyReply(Reply):
    url: ClassVar = SelfLink("sealed-survey")
    name: ClassVar = COLUMN
    tts_language: ClassVar = COLUMN
    description: ClassVar = COLUMN
    rating_counts: ClassVar = COLUMN
    created_date: ClassVar = CREATED
    updated_date: ClassVar = UPDATED
    template: ClassVar = RowLink("survey-template", "template_id", null=True)
    sections: ClassVar = Computed(
        sections,
        {"type": "array", "items": _SECTION},
        meaning="The sections, with their branchings.",
    )


SEALED_SURVEY = Resource(
    name="sealed-survey",
    model=Survey,
    reply=SealedSurveyReply,
    filters={"name": Survey.name, "template": Survey.template},
    orders={"name": Survey.name},
    actions=(
        Action(
            "call",
            "POST",
            call,
            CallForm,
            status=201,
            reply=json_schema.thing(
                dict.fromkeys(("url", "alarm", "timeline", "event", "calls"), json_schema.LINK)
            ),
            example={"phonenumber": "+34600100200", "data": {"doc_name": "Doctor Smith"}},
        ),
    ),
)

ANSWERS = json_schema.page_of(
    {
        "survey": json_schema.LINK,
        "section": {"type": "integer"},
        "question": {"type": "string"},
        "response": {"type": "string"},
        "count": {"type": "integer"},
    }
)
SURVEY_AGGREGATE = Resource(
    name="surveyaggregate",
    model=Survey,
    listed=False,
    answer=CustomReply(show_answers, ANSWERS["properties"]),
)
