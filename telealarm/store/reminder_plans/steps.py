"""The steps of plans as rows, and the columns that an alarm has of its step."""

from collections.abc import Iterable
from typing import Any

from telealarm.models import Event, ReminderStep
from telealarm.rules.reminder_plan import Occasion, Step
from telealarm.store.engine import time_zones

# What an alarm has as its step has it. Relations are by their ids.
_OF_STEP = (
    *("method", "survey", "mail_template", "sms_template", "only_if_unanswered"),
    *("daily_start", "daily_stop", "maxretry", "retry_delay", "max_lateness", "require_result"),
)


def plan_id(event: Event) -> int | None:
    """Return the id of the event's plan: its own, else its calendar's; None if there is none."""
    return event.reminder_plan_id or event.calendar.reminder_plan_id


def of_plans(plan_ids: Iterable[int]) -> dict[int, list[ReminderStep]]:
    """Return the steps of these plans in their order, by plan."""
    found: dict[int, list[ReminderStep]] = {number: [] for number in plan_ids}
    rows = ReminderStep.select().where(ReminderStep.plan.in_(list(found)))
    for row in rows.order_by(ReminderStep.position, ReminderStep.id):
        found[row.plan_id].append(row)
    return found


def rule_of(row: ReminderStep) -> Step:
    """Return the step as the rules know it."""
    return Step(
        id=row.id,
        trigger=row.trigger,
        offset_seconds=row.offset,
        booked_ahead_hours=row.booked_ahead_hours,
        types=tuple(row.types),
    )


def occasion(event: Event, parent: Event | None) -> Occasion:
    """Return the times of an event. An occurrence was booked when its series was."""
    return Occasion(
        start=event.start,
        end=event.end,
        zone=time_zones.of_event(event),
        booked=(parent or event).created_on,
        said_start=event.said_start,
    )


def columns(row: ReminderStep) -> dict[str, Any]:
    """Return the columns of an alarm that are those of its step."""
    return {"trigger": row.trigger, **{name: row.__data__[name] for name in _OF_STEP}}
