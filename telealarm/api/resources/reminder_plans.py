"""reminder-plan/: a plan makes the alarms of the events of a calendar."""

from collections.abc import Mapping
from datetime import time
from typing import Annotated, Any, ClassVar

from pydantic import Field

from telealarm import methods
from telealarm.api.core.request_context import RequestContext
from telealarm.api.fields import form, json_schema, reply
from telealarm.api.fields.base import FieldType, Schema
from telealarm.api.fields.choices import OneOf
from telealarm.api.fields.form import Form, Sent
from telealarm.api.fields.numbers import LARGEST, Flag, Whole
from telealarm.api.fields.relation import Relation
from telealarm.api.fields.reply import CREATED, UPDATED, Computed, SelfLink
from telealarm.api.fields.texts import Text
from telealarm.api.fields.times import Clock
from telealarm.api.resources.alarms import METHOD, WEEK_SECONDS
from telealarm.api.resources.calendar_settings import SEALED
from telealarm.api.rest import body_schemas, relations
from telealarm.api.rest.resource import Resource, Values
from telealarm.errors import Invalid
from telealarm.methods import call
from telealarm.models import ReminderPlan, ReminderStep
from telealarm.store.reminder_plans import plans
from telealarm.words import StepTrigger

MOST_STEPS, MOST_TYPES = 50, 50
# How far a step may lie from its event: a year.
FARTHEST = 366 * 24 * 3600


class Types(FieldType):
    """Types of events, as their field `type` has them. Capital letters do not count."""

    def read(self, value: Any) -> list[str]:
        if not isinstance(value, list) or len(value) > MOST_TYPES:
            raise ValueError(f'must be a list of at most {MOST_TYPES} texts like ["dentist"]')
        return [Text(100, 1).read(one) for one in value]

    def schema(self) -> Schema:
        return {"type": "array", "maxItems": MOST_TYPES, "items": Text(100, 1).schema()}


class StepForm(Form):
    id: Annotated[int | None, Whole(1)] = None
    """The step that this is. Without it, the step is new."""
    name: Annotated[str, Text(100)] = ""
    """The name of the step in timelines."""
    trigger: Annotated[str, OneOf(tuple(StepTrigger))] = StepTrigger.BEFORE
    """What makes the alarm due."""
    offset: Annotated[int, Whole(0, FARTHEST)] = 0
    """Seconds before the event's start, or after its end, on the wall clock."""
    types: Annotated[list[str], Types()] = Field(default_factory=list)
    """The step is only for events of these types. Empty: for all."""
    booked_ahead_hours: Annotated[int | None, Whole(0, 24 * 366)] = None
    """The step is only for events that were booked more than so many hours ahead."""
    only_if_unanswered: Annotated[bool, Flag()] = False
    """Whether an answer to another alarm of the event calls this one off."""
    method: Annotated[int, METHOD] = call.METHOD.number
    """How the recipient is notified."""
    survey: Annotated[int | None, SEALED] = None
    """The survey of a call. Default: the survey of the calendar setting."""
    mail_template: Annotated[int | None, Relation("mail-template")] = None
    """The template of a mail."""
    sms_template: Annotated[int | None, Relation("sms-template")] = None
    """The template of an SMS."""
    daily_start: Annotated[time, Clock()] = time(0, 0, 0)
    """The earliest time of day for an attempt, in the recipient's time zone."""
    daily_stop: Annotated[time, Clock()] = time(23, 59, 59)
    """The latest time of day. If it is before `daily_start`, the hours cross midnight."""
    maxretry: Annotated[int, Whole(0, 100)] = 0
    """How many more attempts follow a failed attempt."""
    retry_delay: Annotated[int, Whole(0, WEEK_SECONDS)] = 0
    """Seconds from the end of an attempt to the next one."""
    max_lateness: Annotated[int | None, Whole(0, LARGEST)] = None
    """How late the alarm may still go out, in seconds. Without it: until the event starts; after an
    event, for a day.
    """
    require_result: Annotated[bool, Flag()] = False
    """Whether an answered call without a pressed key is a failed attempt."""


class Steps(FieldType):
    """The steps in their order. A PATCH sends all of them: those that are not there are removed."""

    def read(self, value: Any) -> list[Sent]:
        if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
            raise ValueError("must be a list of steps, which are JSON objects")
        if len(value) > MOST_STEPS:
            raise ValueError(f"must have at most {MOST_STEPS} steps")
        steps = [form.read(StepForm, one, read_only=frozenset(), partial=False) for one in value]
        wrong = [_sentence(number, sent) for number, sent in enumerate(steps, 1) if sent.errors]
        if wrong:
            raise ValueError("; ".join(wrong))
        return steps

    def schema(self) -> Schema:
        step = body_schemas.form(StepForm, partial=False, model=ReminderStep)
        return {
            "type": "array",
            "maxItems": MOST_STEPS,
            "items": {"title": "ReminderStepRequest", **step},
        }


def _sentence(number: int, sent: Sent) -> str:
    texts = [f"{name} {text}" for name, some in sorted(sent.errors.items()) for text in some]
    return f"step {number}: {', '.join(texts)}"


def show_steps(context: RequestContext, row: ReminderPlan) -> list[dict[str, Any]]:
    """Return the steps of a plan, in their order."""
    return [reply.show(context, step, StepForm) for step in plans.steps_of([row.id])]


_STEP = json_schema.thing(
    {name: body_schemas.shown(StepForm, ReminderStep, name) for name in reply.fields_of(StepForm)},
    "ReminderStep",
)


_SHOWN = Computed(show_steps, {"type": "array", "items": _STEP})


class ReminderPlanForm(Form):
    url: ClassVar = SelfLink("reminder-plan")
    name: Annotated[str, Text(100, 1)]
    """The name of the plan in lists."""
    steps: Annotated[list[Any], Steps(), _SHOWN] = Field(default_factory=list)
    """The steps: each makes an alarm of an event."""
    created_date: ClassVar = CREATED
    updated_date: ClassVar = UPDATED


def create(context: RequestContext, owner_id: int, values: Values) -> ReminderPlan:
    return plans.create(owner_id, _read(context, owner_id, values, None))


def change(context: RequestContext, row: ReminderPlan, values: Values) -> None:
    plans.change(row, _read(context, row.owner_id, values, row), context.now)


def delete(context: RequestContext, row: ReminderPlan) -> None:
    plans.delete(row, context.now)


def _read(
    context: RequestContext, owner_id: int, values: Values, plan: ReminderPlan | None
) -> Values:
    """Return the values with the steps as columns. Raises Invalid on `steps`."""
    if "steps" not in values:
        return values
    known = {step.id: step for step in plans.steps_of([plan.id])} if plan is not None else {}
    wrong = []
    seen: set[int] = set()
    for number, sent in enumerate(values["steps"], 1):
        _check(context, owner_id, sent, known, seen)
        if sent.errors:
            wrong.append(_sentence(number, sent))
    if wrong:
        raise Invalid({"steps": wrong})
    return {**values, "steps": [sent.values for sent in values["steps"]]}


def _check(
    context: RequestContext,
    owner_id: int,
    sent: Sent,
    known: Mapping[int, ReminderStep],
    seen: set[int],
) -> None:
    """Add to a step's errors what is wrong with its relations, its id and its texts."""
    step_id = sent.values["id"]
    row = known.get(step_id)
    relations.resolve(context.login, sent, row)
    relations.check_owner(sent, owner_id)
    if step_id is not None and (row is None or step_id in seen):
        sent.errors["id"] = [f"{step_id} is no step of this plan, or is there twice"]
    seen.add(step_id or 0)
    trigger, method = sent.values["trigger"], methods.of(sent.values["method"])
    field = "survey" if method.uses_channel else methods.of_message(method.number).template
    needed = trigger in (StepTrigger.AFTER, StepTrigger.CANCELLED)
    if needed and field and sent.values[field] is None and field not in sent.errors:
        sent.errors[field] = [
            f"is needed in a step {trigger}: without it, the step would remind of the appointment"
        ]


REMINDER_PLAN = Resource(
    name="reminder-plan",
    model=ReminderPlan,
    form=ReminderPlanForm,
    filters={"name": ReminderPlan.name},
    orders={"name": ReminderPlan.name},
    create=create,
    change=change,
    delete=delete,
    example={
        "name": "Dentist",
        "steps": [
            {
                "name": "the day before",
                "method": 1,
                "trigger": "before",
                "offset": 86400,
                "daily_start": "09:00:00",
                "daily_stop": "20:00:00",
            },
            {
                "name": "an hour before",
                "method": 2,
                "trigger": "before",
                "offset": 3600,
                "only_if_unanswered": True,
            },
        ],
    },
)
