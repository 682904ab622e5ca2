"""The kinds of rows that are not kept for ever: which of them have reached their age.

`find` runs in a reader and returns few ids, the oldest first. `delete` runs in a write, and deletes
what is still old.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from peewee import Expression, Field, fn

from telealarm.config.model import Config
from telealarm.models import (
    Alarm,
    AuditEntry,
    BaseModel,
    Calendar,
    CalendarUser,
    CallRequest,
    EarlyReport,
    Event,
    IdempotencyKey,
    ImportChange,
    ImportRun,
    InboundSms,
    Message,
    SurveyResult,
    Timeline,
    WebhookDelivery,
)
from telealarm.store.retention import deletion
from telealarm.store.retention.deletion import Files
from telealarm.store.survey import voice_messages
from telealarm.words import UNSETTLED, DeliveryStatus, MessageStatus, RetentionKind, StepTrigger

# How many rows one transaction deletes.
BATCH = 200


@dataclass(frozen=True)
class AgedRows:
    """A kind of rows, and how old they may get. `age` None: they are kept for ever."""

    kind: RetentionKind
    age: timedelta | None
    find: Callable[[datetime], list[int]]
    delete: Callable[[Sequence[int]], Files]


def of(config: Config) -> list[AgedRows]:
    """Return all kinds with the ages of the configuration.

    What belongs to others comes first: so each round finds some that nothing refers to any more.
    """
    days, kept = _days, config.retention
    deleted = days(kept.deleted_days)
    plainly = deletion.plainly
    return [
        AgedRows(
            RetentionKind.RECORDINGS,
            days(config.recordings.keep_days),
            _recordings,
            voice_messages.expire,
        ),
        AgedRows(
            RetentionKind.RESULTS,
            days(kept.results_days),
            partial(_head, SurveyResult, SurveyResult.created_date),
            deletion.results,
        ),
        AgedRows(RetentionKind.CALLS, days(kept.calls_days), _calls, deletion.calls),
        AgedRows(
            RetentionKind.MESSAGES, days(kept.messages_days), _messages, partial(plainly, Message)
        ),
        AgedRows(
            RetentionKind.TIMELINES,
            days(kept.timelines_days),
            partial(_head, Timeline, Timeline.at),
            partial(plainly, Timeline),
        ),
        AgedRows(
            RetentionKind.INBOUND_SMS,
            days(kept.inbound_sms_days),
            partial(_head, InboundSms, InboundSms.received),
            partial(plainly, InboundSms),
        ),
        AgedRows(
            RetentionKind.REPORTS,
            timedelta(days=1),
            partial(_head, EarlyReport, EarlyReport.received),
            partial(plainly, EarlyReport),
        ),
        AgedRows(
            RetentionKind.WEBHOOKS,
            days(config.webhooks.keep_days),
            _deliveries,
            partial(plainly, WebhookDelivery),
        ),
        AgedRows(RetentionKind.IMPORTS, days(kept.imports_days), _import_changes, _delete_imports),
        AgedRows(
            RetentionKind.IDEMPOTENCY,
            timedelta(hours=kept.idempotency_hours),
            partial(_by_index, IdempotencyKey, IdempotencyKey.created),
            partial(plainly, IdempotencyKey),
        ),
        AgedRows(
            RetentionKind.AUDIT,
            days(kept.audit_days),
            partial(_by_index, AuditEntry, AuditEntry.at),
            partial(plainly, AuditEntry),
        ),
        AgedRows(RetentionKind.DELETED, deleted, _deleted_alarms, deletion.alarms),
        AgedRows(RetentionKind.DELETED, deleted, _deleted_events, deletion.events),
        AgedRows(RetentionKind.DELETED, deleted, _deleted_calendars, deletion.calendars),
        AgedRows(RetentionKind.DELETED, deleted, _deleted_users, deletion.calendar_users),
    ]


def _days(number: int) -> timedelta | None:
    return timedelta(days=number) if number else None


def _head(model: type[BaseModel], at: Field, before: datetime) -> list[int]:
    """Return the oldest rows of a table whose ids grow with time. It reads only few rows."""
    oldest = model.select(model.id, at).order_by(model.id).limit(BATCH)
    return [row.id for row in oldest if row.__data__[at.name] < before]


def _by_index(model: type[BaseModel], at: Field, before: datetime) -> list[int]:
    rows = model.select(model.id).where(at < before).order_by(at).limit(BATCH)
    return [row.id for row in rows]


def _recordings(before: datetime) -> list[int]:
    rows = SurveyResult.select(SurveyResult.id).where(
        SurveyResult.record_file != "", SurveyResult.created_date < before
    )
    return [row.id for row in rows.limit(BATCH)]


def _calls(before: datetime) -> list[int]:
    rows = CallRequest.select(CallRequest.id).where(
        CallRequest.call_time < before, CallRequest.settled.is_null(False)
    )
    return [row.id for row in rows.order_by(CallRequest.call_time).limit(BATCH)]


def _messages(before: datetime) -> list[int]:
    """Return messages that have ended. A recipient's current invitation stays until its event."""
    open_ones = (MessageStatus.PENDING, MessageStatus.SENDING)
    ended = [status for status in MessageStatus if status not in open_ones]
    over = (Message.current == False) | (Message.ends < before)  # noqa: E712 - SQL
    rows = Message.select(Message.id).where(Message.status.in_(ended), Message.date < before, over)
    return [row.id for row in rows.limit(BATCH)]


def _deliveries(before: datetime) -> list[int]:
    rows = WebhookDelivery.select(WebhookDelivery.id).where(
        WebhookDelivery.created_date < before,
        WebhookDelivery.status.in_([DeliveryStatus.DELIVERED, DeliveryStatus.FAILED]),
    )
    return [row.id for row in rows.limit(BATCH)]


def _import_changes(before: datetime) -> list[int]:
    rows = ImportChange.select(ImportChange.id).join(ImportRun)
    return [row.id for row in rows.where(ImportRun.created_date < before).limit(BATCH)]


def _delete_imports(ids: Sequence[int]) -> Files:
    """Delete what imports wrote, and the imports of which nothing is left."""
    rows = ImportChange.select(ImportChange.run).where(ImportChange.id.in_(ids))
    runs = {row.run_id for row in rows}
    deletion.plainly(ImportChange, ids)
    left = ImportChange.select(ImportChange.run)
    ImportRun.delete().where(ImportRun.id.in_(runs), ImportRun.id.not_in(left)).execute()
    return []


def _deleted_alarms(before: datetime) -> list[int]:
    """Return deleted alarms without a call or a message under way.

    What told that a deleted event was cancelled goes when the event does.
    """
    over = (Alarm.deleted < before) & Alarm.status.not_in(UNSETTLED)
    live = (CallRequest.alarm == Alarm.id) & CallRequest.settled.is_null()
    deleted = Event.select(Event.id).where(Event.deleted < before, Event.end < before)
    outlived = (Alarm.trigger == StepTrigger.CANCELLED) & Alarm.event.in_(deleted)
    outlived &= Alarm.deleted.is_null() & Alarm.status.not_in(UNSETTLED)
    ended = _unused(Alarm, over, (CallRequest, live))
    return ended or _unused(Alarm, outlived, (CallRequest, live))


def _deleted_events(before: datetime) -> list[int]:
    """Return deleted events without alarms and occurrences.

    Those ahead stay: a hidden occurrence tells its series, or the next import, not to make it.
    """
    over = (Event.deleted < before) & (Event.end < before)
    child = Event.alias()
    of_child = child.parent_event == Event.id
    return _unused(Event, over, (Alarm, Alarm.event == Event.id), (child, of_child))


def _deleted_calendars(before: datetime) -> list[int]:
    of_event = Event.calendar == Calendar.id
    return _unused(Calendar, Calendar.deleted < before, (Event, of_event))


def _deleted_users(before: datetime) -> list[int]:
    owns, created = Calendar.user == CalendarUser.id, Event.creator == CalendarUser.id
    return _unused(CalendarUser, CalendarUser.deleted < before, (Calendar, owns), (Event, created))


def _unused(
    model: type[BaseModel], condition: Expression, *users: tuple[Any, Expression]
) -> list[int]:
    """Return rows to which no row of `users` refers."""
    rows = model.select(model.id).where(condition)
    for user, refers in users:
        rows = rows.where(~fn.EXISTS(user.select(user.id).where(refers)))
    return [row.id for row in rows.limit(BATCH)]
