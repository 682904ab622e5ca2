"""Writes the alarms of plans, many in a statement."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from telealarm.errors import Invalid
from telealarm.models import Alarm, AlarmRequest, Event, ReminderStep
from telealarm.store.alarms import alarms, following, permissions, quota, renewal
from telealarm.store.engine import crud, read_cache, search_index
from telealarm.store.engine.database import wake
from telealarm.store.engine.timeline import Entry, record, record_all
from telealarm.store.engine.transition import move, put_all
from telealarm.store.webhooks import webhooks
from telealarm.words import (
    UNSETTLED,
    AlarmStatus,
    Change,
    EventStatus,
    Reason,
    StepTrigger,
    TimelineWord,
)

# Columns that say whom an alarm reaches.
RECIPIENT = ("method", "alarm_phonenumber", "alarm_e164", "alarm_email", "follows_person")


@dataclass(frozen=True)
class New:
    """An alarm that an event shall have. `columns`: as its step and its event have them.

    `reason`: why it does not go out. `problem`: what is missing to reach somebody. `origin`: the
    alarm of the parent event that it stands for. `old`: the alarm of a parent that it replaces.
    """

    event: Event
    step: ReminderStep
    columns: Mapping[str, Any]
    reason: str = ""
    problem: str = ""
    origin: Alarm | None = None
    old: Alarm | None = None

    def ended(self, reason: str) -> "New":
        """Return the same alarm, which does not go out for this reason."""
        return replace(self, reason=reason)

    def instead_of(self, old: Alarm) -> "New":
        """Return the same alarm, which replaces one."""
        return replace(self, old=old)

    def row(self, now: datetime) -> Alarm:
        """Return the alarm as a row that is not saved."""
        values = {"owner": self.event.owner_id, "origin": self.origin, "created_date": now}
        row = Alarm(**self.columns, **values, reminder_step=self.step.id)
        row.event = self.event
        return row

    def is_over(self, now: datetime) -> bool:
        """Return whether the alarm would have expired."""
        return alarms.is_over(self.row(now), self.event, now)


def title(step: ReminderStep) -> str:
    """Return how a step is named in sentences."""
    return f"step {step.name!r}" if step.name else f"step {step.id}"


def make(targets: Sequence[New], now: datetime) -> None:
    """Insert these alarms with their timelines, and schedule those that go out."""
    limited = [target for target in targets if _is_limited(target.event)]
    together = [target for target in targets if not _is_limited(target.event)]
    for some in [*([one] for one in limited), *crud.chunks(together)]:
        _make(some, now)
    if targets:
        wake("planning")
        wake("ahead")


def _is_limited(event: Event) -> bool:
    """Return whether the alarms of the event's calendar user are counted each day."""
    profile = read_cache.profile_of(event.calendar.user_id)
    return profile is not None and profile.permissions["max_alarms_per_day"] is not None


def _make(targets: Sequence[New], now: datetime) -> None:
    rows = [target.row(now) for target in targets]
    whys = [_begin(row, target, now) for row, target in zip(rows, targets, strict=True)]
    _insert(rows)
    search_index.add(*rows)
    entries = []
    for row, target, why in zip(rows, targets, whys, strict=True):
        made = f"by {title(target.step)} of its reminder plan"
        entries.append(Entry(row.id, TimelineWord.CREATED, made, at=now))
        if target.problem:
            entries.append(Entry(row.id, TimelineWord.WRONG, target.problem, at=now))
        if row.status == AlarmStatus.MISSED:
            entries.append(Entry(row.id, TimelineWord.MISSED, why, at=now))
        elif row.status == AlarmStatus.CANCELLED:
            entries.append(Entry(row.id, TimelineWord.CANCELLED, why, at=now))
    record_all(entries)
    for row, target in zip(rows, targets, strict=True):
        if row.status == AlarmStatus.MISSED and row.status_reason != Reason.PAST:
            webhooks.tell(row, Change.MISSED, now)
        if target.old is not None:
            renewal.replace(target.old, row, now)
    _accompany(rows, now)


def _accompany(rows: Iterable[Alarm], now: datetime) -> None:
    """Tell the carers as well, whose people want it so."""
    for row in rows:
        if row.status in UNSETTLED and row.recipient and following.accompanied(row):
            alarms.accompany(row, now)


def _begin(row: Alarm, target: New, now: datetime) -> str:
    """Set the status of a new alarm, and when it is due. Return the sentence for its timeline."""
    event = target.event
    over = event.status == EventStatus.COMPLETED and row.trigger != StepTrigger.CANCELLED
    if target.reason or over:
        row.status = AlarmStatus.CANCELLED
        row.status_reason = target.reason or Reason.EVENT_COMPLETED
        return row.status_reason
    if alarms.is_over(row, event, now):
        row.status, row.status_reason = AlarmStatus.MISSED, Reason.PAST
        return "was over when it was written"
    due = alarms.moment(row, event)
    if why := _forbidden(row):
        row.status, row.status_reason = AlarmStatus.MISSED, Reason.NOT_PERMITTED
        return why
    if why := quota.surplus(row, due, waits=True):
        row.status, row.status_reason = AlarmStatus.MISSED, Reason.LIMIT
        return f"{Reason.LIMIT}: {why}"
    quota.wait(row)
    row.counted_on = quota.day_of(row, event, due)
    row.due = due if is_on(row, event) else None
    return ""


def is_on(row: Alarm, event: Event) -> bool:
    """Return whether the alarm has a due time: its event is neither paused nor over."""
    if row.trigger == StepTrigger.CANCELLED:
        return True
    return event.status == EventStatus.PENDING and event.deleted is None


def _forbidden(row: Alarm) -> str:
    """Return why the calendar user may not have this alarm; empty: the user may."""
    if not row.recipient:
        return ""
    try:
        permissions.check(row, None)
    except Invalid as error:
        return "; ".join(text for texts in error.fields.values() for text in texts)
    return ""


def _insert(rows: Sequence[Alarm]) -> None:
    """Insert the rows and give them their ids: those of one event, or else those of one step."""
    of_events = len({row.event_id for row in rows}) <= len({row.reminder_step_id for row in rows})
    by, key = ("event", "reminder_step") if of_events else ("reminder_step", "event")
    parts: dict[object, list[Alarm]] = {}
    for row in rows:
        parts.setdefault(row.__data__[by], []).append(row)
    for part in parts.values():
        of_key = {row.__data__[key]: row for row in part}
        for row_id, value in crud.insert_all(part, getattr(Alarm, key)):
            of_key[value].id = row_id


def change(changed: Iterable[tuple[Alarm, Event, Mapping[str, Any]]], now: datetime) -> None:
    """Write the columns of alarms that have not begun, or that are the patterns of a series."""
    rows: list[Alarm] = []
    values: list[dict[str, Any]] = []
    elsewhere: list[Alarm] = []
    refused: dict[int, str] = {}
    for alarm, event, columns in changed:
        moved = any(alarm.__data__[name] != columns.get(name) for name in RECIPIENT)
        for name, value in columns.items():
            setattr(alarm, name, value)
        alarm.event = event
        unsettled = alarm.status in UNSETTLED
        if unsettled and alarm.status != AlarmStatus.PENDING:
            # A waiting attempt is called off, if the alarm is due later now.
            alarms.reschedule([alarm], event, now)
        due, day = alarm.due, alarm.counted_on
        if unsettled:
            moment = alarms.moment(alarm, event)
            day = quota.day_of(alarm, event, moment)
            due = moment if is_on(alarm, event) else None
        if moved:
            elsewhere.append(alarm)
            if unsettled and (why := _forbidden(alarm)):
                refused[alarm.id] = why
        rows.append(alarm)
        values.append({**columns, "due": due, "counted_on": day})
    put_all(rows, values)
    _tell_moved(elsewhere)
    following_people = [alarm for alarm in rows if alarm.follows_person]
    if following_people:
        alarms.delete(alarms.besides([alarm.id for alarm in following_people]), now)
        _accompany(following_people, now)
    for alarm in elsewhere:
        if alarm.id in refused:
            record(alarm.id, TimelineWord.WRONG, refused[alarm.id], at=now)
            alarms.cancel([alarm], Reason.NOT_PERMITTED, now)
    if rows:
        wake("planning")
        wake("ahead")


def _tell_moved(elsewhere: Sequence[Alarm]) -> None:
    """Find the alarms by their new numbers; a waiting attempt may have waited for the old one."""
    ids = [alarm.id for alarm in elsewhere]
    search_index.refresh(Alarm, ids)
    for some in crud.chunks(ids):
        AlarmRequest.update(waits_for=0).where(AlarmRequest.alarm.in_(some)).execute()
    if ids:
        wake("dialing")


def again(alarms_of_events: Iterable[tuple[Alarm, Event]], now: datetime) -> None:
    """Let alarms that were ended go out after all."""
    for alarm, event in alarms_of_events:
        move(alarm, AlarmStatus.PENDING, status_reason="")
        record(alarm.id, TimelineWord.REARMED, "by its reminder plan", at=now)
        alarms.admit(alarm, event)
        alarm.event = event
        _accompany([alarm], now)
