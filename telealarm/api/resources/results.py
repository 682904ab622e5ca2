"""result/: the answers in the sections of calls, and the recorded messages."""

from pathlib import Path
from typing import ClassVar

from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields import json_schema
from telealarm.api.fields.form import Reply
from telealarm.api.fields.reply import CREATED, Column, Computed, RowLink, SelfLink
from telealarm.api.rest.resource import Action, Resource, Values
from telealarm.errors import NotVisible
from telealarm.models import SurveyResult
from telealarm.rules.audio import WAV


def download(context: RequestContext, row: SurveyResult, values: Values) -> Path:
    """Download the recorded message"""
    if not row.record_file:
        raise NotVisible
    return context.voice_messages.path(row.record_file)


def record_file(context: RequestContext, row: SurveyResult) -> str | None:
    return context.links.to("result", row.id) + "download/" if row.record_file else None


class ResultReply(Reply):
    url: ClassVar = SelfLink("result")
    callrequest: ClassVar = RowLink("callrequest", "call_id", meaning="The call.")
    section: ClassVar = Column(
        "section_id", {"type": "integer"}, meaning="The section that was answered."
    )
    response: ClassVar = Column(meaning="The keys that were pressed.")
    # These belong to a recorded message.
    record_file: ClassVar = Computed(record_file, json_schema.MAYBE_LINK)
    recording_duration: ClassVar = Computed(
        lambda context, row: row.recording_duration if row.record_file else None,
        {"type": ["number", "null"]},
    )
    created_date: ClassVar = CREATED


RESULT = Resource(
    name="result",
    model=SurveyResult,
    reply=ResultReply,
    filters={
        "callrequest": SurveyResult.call,
        "section": SurveyResult.section,
        "response": SurveyResult.response,
    },
    actions=(Action("download", "GET", download, media=WAV),),
)
