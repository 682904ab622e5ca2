"""result/: what was answered in the sections of the calls, and the messages that were recorded."""

from pathlib import Path
from typing import Any

from telealarm.api.core.request_context import RequestContext, stamp
from telealarm.api.rest.resource import Action, Resource, Values
from telealarm.errors import NotVisible
from telealarm.models import SurveyResult
from telealarm.rules.audio import WAV


def show(visit: RequestContext, row: SurveyResult) -> dict[str, Any]:
    link = visit.links.to("result", row.id)
    return {
        "url": link,
        "callrequest": visit.links.to("callrequest", row.call_id),
        "section": row.section_id,
        "response": row.response,
        # Of a recorded message.
        "record_file": f"{link}download/" if row.record_file else None,
        "recording_duration": row.recording_duration if row.record_file else None,
        "created_date": stamp(row.created_date),
    }


def download(visit: RequestContext, row: SurveyResult, values: Values) -> Path:
    """The recorded message."""
    if not row.record_file:
        raise NotVisible
    return visit.voice_messages.path(row.record_file)


RESULT = Resource(
    name="result",
    model=SurveyResult,
    show=show,
    filters={
        "callrequest": SurveyResult.call,
        "section": SurveyResult.section,
        "response": SurveyResult.response,
    },
    actions=(Action("download", "GET", download, media=WAV),),
)
