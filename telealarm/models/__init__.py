"""The tables, one noun a file. `ALL` lists them in the order in which they can be created."""

from telealarm.models.account import User
from telealarm.models.alarm import Alarm, AlarmRequest
from telealarm.models.audio import AudioFile
from telealarm.models.audit import AuditEntry
from telealarm.models.base import BaseModel
from telealarm.models.calendar import Calendar, CalendarUser, CalendarUserProfile
from telealarm.models.calendar_feed import (
    CalendarFeed,
    CalendarFeedItem,
    CalendarFeedOrder,
)
from telealarm.models.call import CallRequest, SurveyResult
from telealarm.models.do_not_call import DncContact, DncList
from telealarm.models.erasure import Erasure
from telealarm.models.event import Event
from telealarm.models.gateway import Gateway, SmsGateway
from telealarm.models.idempotency import IdempotencyKey
from telealarm.models.imports import ImportChange, ImportRun
from telealarm.models.installation import Installation, Worker
from telealarm.models.limit import LimitUse
from telealarm.models.message import EarlyReport, InboundSms, Message
from telealarm.models.person import Person, PersonNumber
from telealarm.models.pin_guess import PinGuess
from telealarm.models.reminder_plan import ReminderPlan, ReminderStep
from telealarm.models.rule import Rule
from telealarm.models.search_term import PersonTerm, SearchTerm
from telealarm.models.setting import CalendarSetting
from telealarm.models.survey import (
    Branching,
    BranchingTemplate,
    Section,
    SectionTemplate,
    Survey,
    SurveyTemplate,
)
from telealarm.models.template import MailTemplate, SmsTemplate
from telealarm.models.timeline import Timeline
from telealarm.models.token import ApiToken
from telealarm.models.transfer import Transfer
from telealarm.models.trunk import Trunk
from telealarm.models.webhook import Webhook, WebhookDelivery

ALL: list[type[BaseModel]] = [
    Installation,
    Worker,
    PinGuess,
    User,
    ApiToken,
    IdempotencyKey,
    Gateway,
    SmsGateway,
    AudioFile,
    SurveyTemplate,
    SectionTemplate,
    BranchingTemplate,
    Survey,
    Section,
    Branching,
    CalendarSetting,
    MailTemplate,
    SmsTemplate,
    ReminderPlan,
    ReminderStep,
    CalendarUser,
    CalendarUserProfile,
    Calendar,
    Rule,
    Person,
    PersonNumber,
    Event,
    Alarm,
    AlarmRequest,
    CallRequest,
    SurveyResult,
    Transfer,
    Message,
    InboundSms,
    EarlyReport,
    Timeline,
    DncList,
    DncContact,
    Webhook,
    WebhookDelivery,
    Trunk,
    ImportRun,
    ImportChange,
    AuditEntry,
    Erasure,
    LimitUse,
    SearchTerm,
    CalendarFeed,
    CalendarFeedItem,
    CalendarFeedOrder,
    PersonTerm,
]

__all__ = [
    "ALL",
    "Alarm",
    "AlarmRequest",
    "ApiToken",
    "AudioFile",
    "AuditEntry",
    "BaseModel",
    "Branching",
    "BranchingTemplate",
    "Calendar",
    "CalendarFeed",
    "CalendarFeedItem",
    "CalendarFeedOrder",
    "CalendarSetting",
    "CalendarUser",
    "CalendarUserProfile",
    "CallRequest",
    "DncContact",
    "DncList",
    "EarlyReport",
    "Erasure",
    "Event",
    "Gateway",
    "IdempotencyKey",
    "ImportChange",
    "ImportRun",
    "InboundSms",
    "Installation",
    "LimitUse",
    "MailTemplate",
    "Message",
    "Person",
    "PersonNumber",
    "PersonTerm",
    "PinGuess",
    "ReminderPlan",
    "ReminderStep",
    "Rule",
    "SearchTerm",
    "Section",
    "SectionTemplate",
    "SmsGateway",
    "SmsTemplate",
    "Survey",
    "SurveyResult",
    "SurveyTemplate",
    "Timeline",
    "Transfer",
    "Trunk",
    "User",
    "Webhook",
    "WebhookDelivery",
    "Worker",
]
