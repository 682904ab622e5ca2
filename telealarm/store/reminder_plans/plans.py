"""Reminder plans as clients write them, and what their changes do to alarms not yet begun."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from telealarm.errors import Conflict
from telealarm.models import Alarm, Calendar, Event, ReminderPlan, ReminderStep
from telealarm.store.alarms import alarms
from telealarm.store.engine import crud
from telealarm.store.reminder_plans import backlog, follow

StepValues = Mapping[str, Any]


def create(owner_id: int, values: Mapping[str, Any]) -> ReminderPlan:
    """Return a new plan with its steps, in their order. Raises Invalid."""
    columns = {name: value for name, value in values.items() if name != "steps"}
    plan = crud.insert(ReminderPlan, {**columns, "owner": owner_id})
    _write_steps(plan, values.get("steps", ()), {})
    return plan


def change(plan: ReminderPlan, values: Mapping[str, Any], now: datetime) -> None:
    """Edit a plan. `steps` are all its steps: those with an `id` stay, and others are new.

    The change reaches the alarms that have not begun, but those that were edited by hand.
    """
    columns = {name: value for name, value in values.items() if name != "steps"}
    crud.change(plan, columns)
    if "steps" not in values:
        return
    known = {step.id: step for step in ReminderStep.select().where(ReminderStep.plan == plan.id)}
    kept = {step["id"] for step in values["steps"] if step.get("id") is not None}
    _remove([number for number in known if number not in kept], now)
    _write_steps(plan, values["steps"], known)
    backlog.plan_edited(plan.id, now)


def delete(plan: ReminderPlan, now: datetime) -> None:
    """Delete a plan that no calendar and no event ahead has. Raises Conflict."""
    calendar = Calendar.get_or_none(Calendar.reminder_plan == plan.id, Calendar.deleted.is_null())
    if calendar is not None:
        raise Conflict(
            f"The reminder plan is in use: calendar {calendar.id} has it; set the calendar's"
            " reminder_plan to another one or to null first."
        )
    ahead = Event.deleted.is_null() & ((Event.end > now) | Event.next_child_due.is_null(False))
    event = Event.get_or_none(Event.reminder_plan == plan.id, ahead)
    if event is not None:
        raise Conflict(
            f"The reminder plan is in use: event {event.id} has it; set the event's reminder_plan"
            " to another one or to null first."
        )
    steps = [step.id for step in ReminderStep.select().where(ReminderStep.plan == plan.id)]
    _remove(steps, now)
    Calendar.update(reminder_plan=None).where(Calendar.reminder_plan == plan.id).execute()
    Event.update(reminder_plan=None).where(Event.reminder_plan == plan.id).execute()
    crud.remove(plan)


def steps_of(plan_ids: Sequence[int]) -> list[ReminderStep]:
    """Return the steps of these plans, in their order."""
    rows = ReminderStep.select().where(ReminderStep.plan.in_(plan_ids))
    return list(rows.order_by(ReminderStep.plan, ReminderStep.position, ReminderStep.id))


def _write_steps(
    plan: ReminderPlan, wanted: Sequence[StepValues], known: Mapping[int, ReminderStep]
) -> None:
    for position, values in enumerate(wanted):
        columns = {name: value for name, value in values.items() if name != "id"}
        columns["position"] = position
        step = known.get(values.get("id") or 0)
        if step is None:
            crud.insert(ReminderStep, {**columns, "plan": plan.id})
        else:
            crud.change(step, columns)


def _remove(step_ids: Sequence[int], now: datetime) -> None:
    """Delete steps, and their alarms that have not begun. Others stay, and belong to no step."""
    if not step_ids:
        return
    rows = Alarm.select(Alarm, Event).join(Event)
    found = list(rows.where(Alarm.reminder_step.in_(step_ids), Alarm.deleted.is_null()))
    trying = follow.trying(found)
    alarms.delete(
        [
            alarm
            for alarm in found
            if follow.may_go(
                alarm, alarm.event, begun=alarm.id in trying or follow.has_begun(alarm)
            )
        ],
        now,
    )
    ReminderStep.delete().where(ReminderStep.id.in_(step_ids)).execute()
