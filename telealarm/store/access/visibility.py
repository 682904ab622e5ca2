"""The rows that a login sees. All rules about this are in this module.

- A superuser sees every row, a manager the rows that they own.
- Gateways have no owner: managers see the active ones.
- Predefined rules have no owner: everybody sees them.
- Nobody sees rows that are marked as deleted.
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
    """Return the rows of `model` that `login` sees, with the joined columns of its reply."""
    return _seen(_select(model), login, model)


def ids(login: User, model: type[Row]) -> "ModelSelect[Row]":
    """Return the ids of these rows, from their own table only."""
    return _seen(model.select(model.id), login, model)


def find(login: User, model: type[Row], row_id: int, *, by: str = "id") -> Row:
    """Return the row with this id, or this value of the unique column `by`. Raises NotVisible."""
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
    """Return the id of the row's owner; None if everybody may use the row."""
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
        return SectionTemplate.survey.in_(_owned(login, SurveyTemplate))
    if model is BranchingTemplate:
        sections = SectionTemplate.select(SectionTemplate.id).where(
            SectionTemplate.survey.in_(_owned(login, SurveyTemplate))
        )
        return BranchingTemplate.section.in_(sections)
    if model is DncContact:
        return DncContact.dnc.in_(_owned(login, DncList))
    if model is SurveyResult:
        return SurveyResult.call.in_(_owned(login, CallRequest))
    if model is Rule:
        return Rule.owner.is_null() | (Rule.owner == login.id)
    return model._meta.fields["owner"] == login.id


def _owned(login: User, model: type[Row]) -> "ModelSelect[Row]":
    return model.select(model.id).where(model._meta.fields["owner"] == login.id)


def _select(model: type[BaseModel]) -> "ModelSelect[Any]":
    if model is Event:
        return _with_zone(Event.select(Event, _ZONE))
    if model is Alarm:
        start = Event.start.alias("event_start")
        said = Event.said_start.alias("event_said_start")
        return _with_zone(Alarm.select(Alarm, start, said, _ZONE).join(Event))
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


# The zone of an event's times. None: the configuration's.
_ZONE = fn.COALESCE(Event.timezone, Calendar.timezone, CalendarUserProfile.timezone).alias("zone")


def _with_zone(query: "ModelSelect[Row]") -> "ModelSelect[Row]":
    of_user = CalendarUserProfile.user == Calendar.user
    return (
        query.join(Calendar, on=(Event.calendar == Calendar.id))
        .join(CalendarUserProfile, JOIN.LEFT_OUTER, on=of_user)
        .objects()
    )
