"""result/: what was keyed in the sections of the calls."""

from typing import Any

from telealarm.api.resource import Resource
from telealarm.api.visit import Visit, stamp
from telealarm.models import SurveyResult


def show(visit: Visit, row: Any) -> dict[str, Any]:
    return {
        "url": visit.links.to("result", row.id),
        "callrequest": visit.links.to("callrequest", row.call_id),
        "section": row.section_id,
        "response": row.response,
        # Of a record section, which this version does not play.
        "record_file": None,
        "recording_duration": None,
        "created_date": stamp(row.created_date),
    }


RESULT = Resource(
    name="result",
    model=SurveyResult,
    show=show,
    filters={
        "callrequest": SurveyResult.call,
        "section": SurveyResult.section,
        "response": SurveyResult.response,
    },
)
