"""What a login sees: the one place that says so.

A superuser sees every row, a manager what they own; gateways have no owner, managers see the
active ones; predefined rules have none either, and everybody sees them. Rows that are marked as
deleted are seen by nobody.
"""

from typing import Any, TypeVar

from peewee import JOIN, ModelSelect, fn

from telealarm.errors import NotVisible
from telealarm.models import (
    Alarm,
    AlarmRequest,
    BaseModel,
    BranchingTemplate,
    Calendar,
    CalendarSetting,
    CalendarUserProfile,
    CallRequest,
    DncContact,
    DncList,
    Event,
    Gateway,
    Rule,
    SectionTemplate,
    SmsGateway,
    SurveyResult,
    SurveyTemplate,
    User,
)
from telealarm.models.gateway import ACTIVE

Row = TypeVar("Row", bound=BaseModel)


def rows(login: User, model: type[Row]) -> "ModelSelect[Row]":
    """The rows of `model` that `login` sees, each with what its reply needs of other tables."""
    return _seen(_select(model), login, model)


def ids(login: User, model: type[Row]) -> "ModelSelect[Row]":
    """The ids of the same rows, from their own table alone."""
    return _seen(model.select(model.id), login, model)


def find(login: User, model: type[Row], row_id: int, *, by: str = "id") -> Row:
    """The row with this id, or with this value of the unique column `by`. Raises NotVisible."""
    row = rows(login, model).where(getattr(model, by) == row_id).get_or_none()
    if row is None:
        raise NotVisible
    return row


def _seen(query: "ModelSelect[Row]", login: User, model: type[Row]) -> "ModelSelect[Row]":
    if "deleted" in model._meta.fields:
        query = query.where(model._meta.fields["deleted"].is_null())
    if not login.is_superuser:
        query = query.where(_visible(login, model))
    return query


def owner_of(row: BaseModel) -> int | None:
    """The id of the user whose row this is; None where everybody may use it."""
    if isinstance(row, SectionTemplate):
        return owner_of(row.survey)
    if isinstance(row, BranchingTemplate):
        return owner_of(row.section)
    if isinstance(row, DncContact):
        return owner_of(row.dnc)
    if isinstance(row, SurveyResult):
        return owner_of(row.call)
    if isinstance(row, User):
        return row.id
    return getattr(row, "owner_id", None)


def _visible(login: User, model: type[BaseModel]) -> Any:
    if model in (Gateway, SmsGateway):
        return model._meta.fields["status"] == ACTIVE
    if model is User:
        return User.id == login.id
    if model is SectionTemplate:
        return SectionTemplate.survey.in_(_own(login, SurveyTemplate))
    if model is BranchingTemplate:
        sections = SectionTemplate.select(SectionTemplate.id).where(
            SectionTemplate.survey.in_(_own(login, SurveyTemplate))
        )
        return BranchingTemplate.section.in_(sections)
    if model is DncContact:
        return DncContact.dnc.in_(_own(login, DncList))
    if model is SurveyResult:
        return SurveyResult.call.in_(_own(login, CallRequest))
    if model is Rule:
        return Rule.owner.is_null() | (Rule.owner == login.id)
    return model._meta.fields["owner"] == login.id


def _own(login: User, model: type[Row]) -> "ModelSelect[Row]":
    return model.select(model.id).where(model._meta.fields["owner"] == login.id)


def _select(model: type[BaseModel]) -> "ModelSelect[Any]":
    if model is Event:
        return _with_zone(Event.select(Event, _ZONE))
    if model is Alarm:
        start = Event.start.alias("event_start")
        return _with_zone(Alarm.select(Alarm, start, _ZONE).join(Event))
    if model is AlarmRequest:
        call = CallRequest.id.alias("callrequest_id")
        of_request = CallRequest.request == AlarmRequest.id
        return (
            AlarmRequest.select(AlarmRequest, call)
            .join(CallRequest, JOIN.LEFT_OUTER, on=of_request)
            .objects()
        )
    if model in (CalendarSetting, CalendarUserProfile):
        name = User.username.alias("owner_name")
        owner = model._meta.fields["owner"]
        return model.select(model, name).join(User, on=(owner == User.id)).objects()
    return model.select()


# The zone that an event's times are said in; None: the configuration's.
_ZONE = fn.COALESCE(Event.timezone, Calendar.timezone, CalendarUserProfile.timezone).alias("zone")


def _with_zone(query: "ModelSelect[Row]") -> "ModelSelect[Row]":
    of_user = CalendarUserProfile.user == Calendar.user
    return (
        query.join(Calendar, on=(Event.calendar == Calendar.id))
        .join(CalendarUserProfile, JOIN.LEFT_OUTER, on=of_user)
        .objects()
    )
