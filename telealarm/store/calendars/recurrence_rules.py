"""Recurrence rules: those that every installation has, and those that managers write."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from telealarm.errors import Conflict, Invalid, RecurrenceError
from telealarm.models import Event, Rule
from telealarm.rules import recurrence
from telealarm.store.alarms import parents
from telealarm.store.calendars import series
from telealarm.store.engine import crud

_WORKDAYS = "byweekday:0,1,2,3,4"
PREDEFINED = (
    ("Monthly", "MONTHLY", ""),
    ("Weekly (Monday-Friday) repeated 10 times", "WEEKLY", f"count:10;{_WORKDAYS}"),
    ("Weekly (Monday-Friday)", "WEEKLY", _WORKDAYS),
    ("Yearly", "YEARLY", ""),
    ("Daily", "DAILY", ""),
    ("Weekly", "WEEKLY", ""),
)

# How many series of a rule are looked at when it is edited, the newest first.
_CHECKED = 1000


def predefine() -> None:
    """The rules of a new database."""
    for name, frequency, params in PREDEFINED:
        Rule.create(name=name, description=name, frequency=frequency, params=params)


def check(rule: Rule | None, values: Mapping[str, Any]) -> None:
    """Whether the new or edited rule can be used: from any start at all, and from those of the
    series that have it. Raises Invalid.
    """
    said = {
        name: values[name] if name in values else getattr(rule, name, None)
        for name in ("frequency", "params", "rrule")
    }
    try:
        found = recurrence.parse(said["frequency"] or "", said["params"] or "", said["rrule"])
    except ValueError:
        return  # told with the field that is at fault, when the rule is written
    try:
        recurrence.check(found)
    except RecurrenceError as error:
        field = "rrule" if said["rrule"] else "params"
        raise Invalid({field: [str(error)]}) from None
    if rule is not None:
        _check_series(Rule(id=rule.id, **{**said, "params": said["params"] or ""}))


def _check_series(edited: Rule) -> None:
    """Refuse an edit by which a series that goes on would come to nothing. Raises Invalid."""
    having = Event.select().where(
        Event.rule == edited.id, Event.deleted.is_null(), Event.next_child_due.is_null(False)
    )
    for event in having.order_by(Event.id.desc()).limit(_CHECKED):
        event.rule = edited
        try:
            series.check(event)
        except Invalid as error:
            field = "rrule" if edited.rrule else "params"
            said = [f"event {event.id} has it: {text}" for text in error.fields["rule"]]
            raise Invalid({field: said}) from None


def create(owner_id: int, values: Mapping[str, Any]) -> Rule:
    """A new rule. Raises Invalid where its parts contradict each other."""
    frequency = _frequency(values["frequency"], values["params"], values["rrule"])
    return crud.insert(Rule, {**values, "frequency": frequency, "owner": owner_id})


def change(rule: Rule, values: Mapping[str, Any], now: datetime) -> None:
    """Edit a rule; the series that have it follow.

    Raises Invalid as `create` does, Conflict where it is predefined.
    """
    check_own(rule)
    rrule = values.get("rrule", rule.rrule)
    # A new rrule brings its own frequency, unless another was sent with it.
    kept = rule.frequency if "rrule" not in values or rrule is None else None
    said = values.get("frequency", kept)
    frequency = _frequency(said, values.get("params", rule.params), rrule)
    crud.change(rule, {**values, "frequency": frequency})
    having = Event.select(Event.id).where(Event.rule == rule.id, Event.deleted.is_null())
    parents.edited([event.id for event in having], now)


def remove(rule: Rule) -> None:
    """Delete a rule. Raises Conflict where it is predefined, or an event uses it."""
    check_own(rule)
    crud.remove(rule)


def check_own(rule: Rule) -> None:
    """Raise Conflict where the rule is predefined."""
    if rule.owner_id is None:
        raise Conflict("This rule is predefined and stays as it is; make one of your own.")


def frequency_of(rrule: str) -> str:
    """What FREQ says in a recurrence text that was checked."""
    parts = dict(part.split("=", 1) for part in rrule.removeprefix("RRULE:").split(";"))
    return parts["FREQ"]


def _frequency(said: str | None, params: str, rrule: str | None) -> str:
    if rrule is None:
        if said is None:
            raise Invalid({"frequency": ["this field is required where there is no rrule"]})
        _parse(said, params, None)
        return said
    if params:
        raise Invalid({"params": ["must be empty where there is an rrule"]})
    found = frequency_of(rrule)
    if said not in (None, found):
        raise Invalid({"frequency": [f"must be {found}, as the rrule has it, or left out"]})
    _parse(found, params, rrule)
    return found


def _parse(frequency: str, params: str, rrule: str | None) -> None:
    try:
        recurrence.parse(frequency, params, rrule)
    except ValueError as error:
        raise Invalid({"params" if rrule is None else "rrule": [str(error)]}) from None
