"""The rows that a login sees. All rules about this are in this module.

- A superuser sees every row, a manager the rows that they own.
- Gateways have no owner: managers see the active ones.
- Predefined rules have no owner: everybody sees them.
- Nobody sees rows that are marked as deleted.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar, cast

from peewee import JOIN, Field, ModelSelect, fn

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
from telealarm.models.row_reader import RowReader
from telealarm.store.engine import read_cache
from telealarm.store.engine.prepared import Each, Given, Prepared
from telealarm.words import EventStatus

Row = TypeVar("Row", bound=BaseModel)


def as_found(login: User, row: Row) -> Row:
    """Return a new row as `find` returns it. Most events and alarms are not read for it."""
    if isinstance(row, Event):
        row.zone = _zone_of(row)
    elif isinstance(row, Alarm) and row.event.status != EventStatus.COMPLETED:
        row.event_start, row.event_said_start = row.event.start, row.event.said_start
        row.zone = _zone_of(row.event)
    else:
        return find(login, type(row), row.id)
    return row


def _zone_of(event: Event) -> str | None:
    """Return the zone of an event's times, as `_ZONE` does."""
    zone = event.timezone or event.calendar.timezone
    if zone:
        return zone
    profile = read_cache.profile_of(event.calendar.user_id)
    return profile.timezone if profile else None


@dataclass(frozen=True)
class _AnyLogin:
    """Stands for a login in a query that is compiled once."""

    is_superuser: bool
    id: Given


_Login = User | _AnyLogin


def rows(login: _Login, model: type[Row]) -> "ModelSelect[Row]":
    """Return the rows of `model` that `login` sees, with the joined columns of its reply."""
    return _seen(_select(model), login, model)


def ids(login: User, model: type[Row]) -> "ModelSelect[Row]":
    """Return the ids of these rows, from their own table only."""
    return _seen(model.select(model.id), login, model)


def find(login: User, model: type[Row], row_id: int, *, by: str = "id") -> Row:
    """Return the row with this id, or this value of the unique column `by`. Raises NotVisible."""
    for row in _finding(model, login.is_superuser, by).rows(login, [row_id]):
        return cast(Row, row)
    raise NotVisible


def find_all(login: User, model: type[Row], row_ids: Iterable[int]) -> dict[int, Row]:
    """Return those of these rows that the login sees, by their ids."""
    found = _finding(model, login.is_superuser, "id").rows(login, list(row_ids))
    return {row.id: row for row in found}


class _Finding(Generic[Row]):
    """Finds rows by a unique column, with the joined columns of their replies."""

    def __init__(self, model: type[Row], is_superuser: bool, by: str) -> None:
        key = getattr(model, by)
        login = _AnyLogin(is_superuser, Given("login", User.id))
        query = rows(login, model).where(Each("keys", key))
        self._reader = RowReader(model)
        own = len(self._reader.columns)
        # The joined columns: the place of each, its name, and what reads its value.
        self._more: list[tuple[int, str, Any]] = []
        for at, column in enumerate(vars(query)["_returning"][own:], own):
            field = column.unwrap()
            convert = _reading(field) if isinstance(field, Field) else None
            self._more.append((at, column._alias, convert))
        self._query = Prepared(model, lambda: query)

    def rows(self, login: User, keys: list[int]) -> list[Row]:
        found = self._query.tuples(login=login.id, keys=keys)
        return [self._row(values) for values in found]

    def _row(self, values: tuple[Any, ...]) -> Row:
        row = self._reader.row(values)
        assert row is not None
        for at, name, convert in self._more:
            value = values[at]
            setattr(row, name, value if convert is None or value is None else convert(value))
        return row


def _reading(field: Any) -> Any:
    """Return what makes a value of what the database has."""
    return field.python_value


@cache
def _finding(model: type[Row], is_superuser: bool, by: str) -> _Finding[Row]:
    return _Finding(model, is_superuser, by)


def _seen(query: "ModelSelect[Row]", login: _Login, model: type[Row]) -> "ModelSelect[Row]":
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


def _visible(login: _Login, model: type[BaseModel]) -> Any:
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


def _owned(login: _Login, model: type[Row]) -> "ModelSelect[Row]":
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
