"""The steps that are due at once: an event was booked, moved or cancelled."""

from collections.abc import Sequence
from datetime import datetime

from telealarm.models import Alarm, Event, ReminderStep
from telealarm.rules import reminder_plan as rules
from telealarm.store.alarms import alarms
from telealarm.store.engine import read_cache
from telealarm.store.reminder_plans import contacts, steps, write
from telealarm.words import UNSETTLED, StepTrigger


def has_step(event: Event, trigger: StepTrigger) -> bool:
    """Return whether the plan of the event, if it has one, tells of this."""
    return bool(_steps(event, trigger))


def tell(event: Event, trigger: StepTrigger, now: datetime) -> None:
    """Make the alarms of the plan's steps with this trigger. They say the event as it is when they
    go out, and expire when it starts.

    A step that still waits is not made twice: it will say the new time.
    """
    wanted = _steps(event, trigger) if event.start > now else []
    if wanted:
        with read_cache.remembering():
            _make(event, wanted, now)


def _steps(event: Event, trigger: StepTrigger) -> list[ReminderStep]:
    plan_id = steps.plan_id(event)
    if plan_id is None:
        return []
    rows = steps.of_plans([plan_id])[plan_id]
    return [r for r in rows if r.trigger == trigger and steps.rule_of(r).is_for(event.type)]


def _make(event: Event, wanted: Sequence[ReminderStep], now: datetime) -> None:
    occasion = steps.occasion(event, event.parent_event)
    waits = {alarm.reminder_step_id for alarm in _waiting(event, wanted[0].trigger)}
    targets = []
    for row in wanted:
        if row.id in waits or rules.booked_late(steps.rule_of(row), occasion):
            continue
        contact = contacts.of(event, row.method)
        columns = {**steps.columns(row), **contact.columns}
        targets.append(write.New(event, row, columns, problem=contact.problem))
        if contact.problem:
            problem = f"{write.title(row)}: {contact.problem}"
            event.not_planned = [*(event.not_planned or []), problem]
    write.make(targets, now)


def _waiting(event: Event, trigger: str) -> list[Alarm]:
    """Return the alarms of this trigger of which no attempt was made."""
    rows = Alarm.select().where(Alarm.event == event.id, alarms.WANTED, Alarm.trigger == trigger)
    return list(rows.where(Alarm.num_attempt == 0, Alarm.status.in_(UNSETTLED)))


def cancelled(ended: Sequence[Event], now: datetime) -> None:
    """Tell that these events of one series were cancelled: once, of the next one ahead."""
    ahead = [event for event in ended if event.start > now]
    if ahead:
        tell(min(ahead, key=lambda event: event.start), StepTrigger.CANCELLED, now)


def withdraw(event: Event, trigger: StepTrigger, now: datetime) -> None:
    """Take back what waits to be told, because it is not true any more."""
    alarms.delete(_waiting(event, trigger), now)
