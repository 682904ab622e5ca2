"""sealed-survey/: surveys that never change. surveyaggregate/: how they were answered."""

from typing import Annotated, Any

from telealarm.api import schemas, section_templates
from telealarm.api.fields import Json
from telealarm.api.forms import Form
from telealarm.api.resource import Action, Resource, Values
from telealarm.api.texts import Phone
from telealarm.api.visit import Visit, stamp
from telealarm.models import Survey
from telealarm.store import calllog, surveys, trials


class CallForm(Form):
    phonenumber: Annotated[str, Phone(min_length=1)]
    data: Annotated[dict[str, Any] | None, Json()] = None


def show(visit: Visit, row: Any) -> dict[str, Any]:
    return {
        "url": visit.links.to("sealed-survey", row.id),
        "name": row.name,
        "tts_language": row.tts_language,
        "description": row.description,
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


def call(visit: Visit, row: Any, values: Values) -> dict[str, Any]:
    """Ring one number with the survey now, to try it; the reply says where to watch"""
    request = trials.call(row, values["phonenumber"], values["data"], visit.now)
    alarm = visit.links.to("alarm", request.alarm_id)
    return {
        "url": visit.links.to("alarm-request", request.id),
        "alarm": alarm,
        "timeline": f"{alarm}timeline/",
        "event": visit.links.to("event", request.alarm.event_id),
        "calls": f"{visit.links.all('callrequest')}?alarm={request.alarm_id}",
    }


def show_answers(visit: Visit, row: Any) -> dict[str, Any]:
    found = calllog.aggregate(row)
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
        "url": schemas.LINK,
        **schemas.of_columns(Survey, "name", "tts_language", "description"),
        **schemas.of_columns(Survey, "created_date", "updated_date"),
        "template": schemas.MAYBE_LINK,
        "sections": {"type": "array", "items": {"type": "object"}},
    },
    actions=(
        Action(
            "call",
            "POST",
            call,
            CallForm,
            status=201,
            reply=schemas.thing(
                dict.fromkeys(("url", "alarm", "timeline", "event", "calls"), schemas.LINK)
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
    shapes=schemas.page_of(
        {
            "survey": schemas.LINK,
            "section": {"type": "integer"},
            "question": {"type": "string"},
            "response": {"type": "string"},
            "count": {"type": "integer"},
        }
    )["properties"],
)
