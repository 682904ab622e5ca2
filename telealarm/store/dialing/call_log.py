"""The call log: attempts by event, answers by survey."""

from dataclasses import dataclass

from peewee import JOIN, ModelSelect, fn

from telealarm.models import (
    Alarm,
    AlarmRequest,
    CallRequest,
    Event,
    Section,
    Survey,
    SurveyResult,
    Timeline,
)
from telealarm.store.calendars import events


@dataclass(frozen=True)
class Count:
    """How often a section of a survey got this answer."""

    section: int
    question: str
    response: str
    count: int


def attempts(event: Event) -> list[tuple[Event, list[tuple[Alarm, list[AlarmRequest]]]]]:
    """Return the event and its occurrences, each with its alarms, each with its attempts.

    Each attempt has the id of its call, or None, as `callrequest_id`.
    """
    return [
        (occurrence, [(alarm, _of_alarm(alarm)) for alarm in alarms_of(occurrence)])
        for occurrence in [event, *events.children(event.id)]
    ]


def alarms_of(event: Event) -> list[Alarm]:
    """Return the alarms of an event, in the order of their creation."""
    return list(
        Alarm.select().where(Alarm.event == event.id, Alarm.deleted.is_null()).order_by(Alarm.id)
    )


def _of_alarm(alarm: Alarm) -> list[AlarmRequest]:
    return list(
        AlarmRequest.select(AlarmRequest, CallRequest.id.alias("callrequest_id"))
        .join(CallRequest, JOIN.LEFT_OUTER, on=(CallRequest.request == AlarmRequest.id))
        .where(AlarmRequest.alarm == alarm.id)
        .order_by(AlarmRequest.id)
        .objects()
    )


def aggregate(survey: Survey) -> list[Count]:
    """Return the answers in the calls of a survey, counted by section and response."""
    rows = (
        SurveyResult.select(
            Section.id, Section.question, SurveyResult.response, fn.COUNT(SurveyResult.id)
        )
        .join(Section)
        .where(Section.survey == survey.id)
        .group_by(Section.id, Section.order, Section.question, SurveyResult.response)
        .order_by(Section.order, Section.id, SurveyResult.response)
        .tuples()
    )
    return [Count(*row) for row in rows.execute()]


def timeline(alarm: Alarm) -> "ModelSelect[Timeline]":
    """Select the timeline of an alarm."""
    return Timeline.select().where(Timeline.alarm == alarm.id)
