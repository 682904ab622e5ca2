"""The tables, one noun a file. `ALL` lists them in the order in which they can be made."""

from telealarm.models.account import User
from telealarm.models.alarm import Alarm, AlarmRequest
from telealarm.models.base import BaseModel
from telealarm.models.calendar import Calendar, CalendarUser, CalendarUserProfile
from telealarm.models.call import CallRequest, SurveyResult
from telealarm.models.event import Event
from telealarm.models.gateway import Gateway, SmsGateway
from telealarm.models.idempotency import IdempotencyKey
from telealarm.models.installation import Installation, Worker
from telealarm.models.message import Message
from telealarm.models.setting import CalendarSetting
from telealarm.models.survey import (
    Branching,
    BranchingTemplate,
    Section,
    SectionTemplate,
    Survey,
    SurveyTemplate,
)
from telealarm.models.timeline import Timeline
from telealarm.models.token import ApiToken

ALL: list[type[BaseModel]] = [
    Installation,
    Worker,
    User,
    ApiToken,
    IdempotencyKey,
    Gateway,
    SmsGateway,
    SurveyTemplate,
    SectionTemplate,
    BranchingTemplate,
    Survey,
    Section,
    Branching,
    CalendarSetting,
    CalendarUser,
    CalendarUserProfile,
    Calendar,
    Event,
    Alarm,
    AlarmRequest,
    CallRequest,
    SurveyResult,
    Message,
    Timeline,
]

__all__ = [
    "ALL",
    "Alarm",
    "AlarmRequest",
    "ApiToken",
    "BaseModel",
    "Branching",
    "BranchingTemplate",
    "Calendar",
    "CalendarSetting",
    "CalendarUser",
    "CalendarUserProfile",
    "CallRequest",
    "Event",
    "Gateway",
    "IdempotencyKey",
    "Installation",
    "Message",
    "Section",
    "SectionTemplate",
    "SmsGateway",
    "Survey",
    "SurveyResult",
    "SurveyTemplate",
    "Timeline",
    "User",
    "Worker",
]
