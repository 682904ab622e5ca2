"""sealed-survey/: surveys that never change. surveyaggregate/: how they were answered."""

from typing import Any

from telealarm.api import schemas, section_templates
from telealarm.api.resource import Resource
from telealarm.api.visit import Visit, stamp
from telealarm.models import Survey
from telealarm.store import calllog, surveys


def show(visit: Visit, row: Any) -> dict[str, Any]:
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
        **schemas.of_columns(Survey, "name", "tts_language", "description", "rating_counts"),
        **schemas.of_columns(Survey, "created_date", "updated_date"),
        "template": schemas.MAYBE_LINK,
        "sections": {"type": "array", "items": {"type": "object"}},
    },
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
