"""Deletes rows with what belongs to them. Each function gets few ids and returns file names."""

from collections.abc import Sequence

from telealarm.models import (
    Alarm,
    AlarmRequest,
    BaseModel,
    Calendar,
    CalendarUser,
    CallRequest,
    Event,
    ImportChange,
    InboundSms,
    Message,
    SurveyResult,
    Timeline,
    Transfer,
    WebhookDelivery,
)
from telealarm.store.engine import search_index

# The names of recordings whose rows are gone.
Files = list[str]


def plainly(model: type[BaseModel], ids: Sequence[int]) -> Files:
    """Delete rows to which no other row refers."""
    search_index.remove(model, ids)
    model.delete().where(model.id.in_(ids)).execute()
    return []


def results(ids: Sequence[int]) -> Files:
    """Delete answers, with their recordings."""
    rows = SurveyResult.select(SurveyResult.record_file).where(
        SurveyResult.id.in_(ids), SurveyResult.record_file != ""
    )
    files = [row.record_file for row in rows]
    plainly(SurveyResult, ids)
    return files


def calls(ids: Sequence[int]) -> Files:
    """Delete calls with their answers, recordings and transfers. The attempts stay."""
    of_calls = SurveyResult.select(SurveyResult.id).where(SurveyResult.call.in_(ids))
    files = results([row.id for row in of_calls])
    Transfer.delete().where(Transfer.call.in_(ids)).execute()
    plainly(CallRequest, ids)
    return files


def alarms(ids: Sequence[int]) -> Files:
    """Delete alarms with their whole log. What others have of them forgets them."""
    of_alarms = CallRequest.select(CallRequest.id).where(CallRequest.alarm.in_(ids))
    files = calls([row.id for row in of_alarms])
    for model in (Timeline, Message):
        model.delete().where(model.alarm.in_(ids)).execute()
    AlarmRequest.delete().where(AlarmRequest.alarm.in_(ids)).execute()
    for row in (WebhookDelivery, InboundSms):
        row.update(alarm=None).where(row.alarm.in_(ids)).execute()
    Alarm.update(about=None).where(Alarm.about.in_(ids)).execute()
    Alarm.update(origin=None).where(Alarm.origin.in_(ids)).execute()
    Alarm.update(beside=None).where(Alarm.beside.in_(ids)).execute()
    plainly(Alarm, ids)
    return files


def events(ids: Sequence[int]) -> Files:
    """Delete events without alarms and occurrences."""
    ImportChange.delete().where(ImportChange.event.in_(ids)).execute()
    return plainly(Event, ids)


def calendars(ids: Sequence[int]) -> Files:
    """Delete calendars without events."""
    return plainly(Calendar, ids)


def calendar_users(ids: Sequence[int]) -> Files:
    """Delete calendar users without calendars and events."""
    return plainly(CalendarUser, ids)
