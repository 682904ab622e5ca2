"""sealed-survey/: surveys that never change. surveyaggregate/: how they were answered."""

from typing import Annotated, Any

from telealarm.api.core.request_context import RequestContext, stamp
from telealarm.api.fields import json_schema
from telealarm.api.fields.form import Form
from telealarm.api.fields.texts import Phone
from telealarm.api.fields.values import Json
from telealarm.api.resources import section_templates
from telealarm.api.rest.resource import Action, Resource, Values
from telealarm.models import Survey
from telealarm.store.dialing import call_log, test_calls
from telealarm.store.survey import surveys


class CallForm(Form):
    phonenumber: Annotated[str, Phone(min_length=1)]
    """The number of the trial call."""
    data: Annotated[dict[str, Any] | None, Json()] = None
    """Values for the placeholders."""


def show(visit: RequestContext, row: Survey) -> dict[str, Any]:
    return {
        "url": visit.links.to("sealed-survey", row.id),
        "name": row.name,
        "tts_language": row.tts_language,
        "description": row.description,
        "rating_counts": row.rating_counts,
        "created_date": stamp(row.created_date),
        "updated_date": stamp(row.updated_date),
        "template": visit.links.maybe("survey-template", row.template_id),
        "sections": [
            {
                "id": section.id,
                **section_templates.content(visit, section),
                "branchings": [{"keys": one.keys, "goto": one.goto_id} for one in branchings],
            }
            for section, branchings in surveys.outline(row)
        ],
    }


def call(visit: RequestContext, row: Survey, values: Values) -> dict[str, Any]:
    """Ring one number with the survey now, to try it; the reply says where to watch"""
    request = test_calls.call(row, values["phonenumber"], values["data"], visit.now)
    alarm = visit.links.to("alarm", request.alarm_id)
    return {
        "url": visit.links.to("alarm-request", request.id),
        "alarm": alarm,
        "timeline": f"{alarm}timeline/",
        "event": visit.links.to("event", request.alarm.event_id),
        "calls": f"{visit.links.all('callrequest')}?alarm={request.alarm_id}",
    }


def show_answers(visit: RequestContext, row: Survey) -> dict[str, Any]:
    found = call_log.aggregate(row)
    return {
        "count": len(found),
        "next": None,
        "previous": None,
        "results": [
            {
                "survey": visit.links.to("sealed-survey", row.id),
                "section": one.section,
                "question": one.question,
                "response": one.response,
                "count": one.count,
            }
            for one in found
        ],
    }


SEALED_SURVEY = Resource(
    name="sealed-survey",
    model=Survey,
    show=show,
    filters={"name": Survey.name, "template": Survey.template},
    orders={"name": Survey.name},
    shapes={
        "url": json_schema.LINK,
        **json_schema.of_columns(Survey, "name", "tts_language", "description", "rating_counts"),
        **json_schema.of_columns(Survey, "created_date", "updated_date"),
        "template": json_schema.MAYBE_LINK,
        "sections": {"type": "array", "items": {"type": "object"}},
    },
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

SURVEY_AGGREGATE = Resource(
    name="surveyaggregate",
    model=Survey,
    show=show_answers,
    listed=False,
    shapes=json_schema.page_of(
        {
            "survey": json_schema.LINK,
            "section": {"type": "integer"},
            "question": {"type": "string"},
            "response": {"type": "string"},
            "count": {"type": "integer"},
        }
    )["properties"],
)
