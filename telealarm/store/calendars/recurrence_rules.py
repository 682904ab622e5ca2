"""Recurrence rules: the predefined ones, and those that managers write."""

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

# How many series of an edited rule are checked, the newest first.
_CHECKED = 200


def predefine() -> None:
    """Create the rules of a new database."""
    for name, frequency, params in PREDEFINED:
        Rule.create(name=name, description=name, frequency=frequency, params=params)


def check(rule: Rule | None, values: Mapping[str, Any]) -> None:
    """Check the new or edited rule: from any start, and from the starts of its series.

    Raises Invalid.
    """
    parts = {
        name: values[name] if name in values else getattr(rule, name, None)
        for name in ("frequency", "params", "rrule")
    }
    try:
        parsed = recurrence.parse(parts["frequency"] or "", parts["params"] or "", parts["rrule"])
    except ValueError:
        return  # `create` and `change` report it with its field
    try:
        recurrence.check(parsed)
    except RecurrenceError as error:
        field = "rrule" if parts["rrule"] else "params"
        raise Invalid({field: [str(error)]}) from None
    if rule is not None:
        zone = values.get("timezone", rule.timezone)
        _check_series(Rule(id=rule.id, timezone=zone, **{**parts, "params": parts["params"] or ""}))


def _check_series(edited: Rule) -> None:
    """Refuse an edit that would leave a running series without occurrences. Raises Invalid."""
    having = Event.select().where(
        Event.rule == edited.id, Event.deleted.is_null(), Event.next_child_due.is_null(False)
    )
    for event in having.order_by(Event.id.desc()).limit(_CHECKED):
        event.rule = edited
        try:
            series.check(event)
        except Invalid as error:
            field = "rrule" if edited.rrule else "params"
            texts = [f"event {event.id} has it: {text}" for text in error.fields["rule"]]
            raise Invalid({field: texts}) from None


def create(owner_id: int, values: Mapping[str, Any]) -> Rule:
    """Create a rule. Raises Invalid if its parts contradict each other."""
    frequency = _frequency(values["frequency"], values["params"], values["rrule"])
    return crud.insert(Rule, {**values, "frequency": frequency, "owner": owner_id})


def change(rule: Rule, values: Mapping[str, Any], now: datetime) -> None:
    """Edit a rule, and the series that use it.

    Raises Invalid as `create` does, Conflict if the rule is predefined.
    """
    check_own(rule)
    rrule = values.get("rrule", rule.rrule)
    # A new rrule brings its own frequency, unless the client sent another.
    kept = rule.frequency if "rrule" not in values or rrule is None else None
    wanted = values.get("frequency", kept)
    frequency = _frequency(wanted, values.get("params", rule.params), rrule)
    crud.change(rule, {**values, "frequency": frequency})
    having = Event.select(Event.id).where(Event.rule == rule.id, Event.deleted.is_null())
    parents.edited([event.id for event in having], now)


def remove(rule: Rule) -> None:
    """Delete a rule. Raises Conflict if it is predefined, or an event uses it."""
    check_own(rule)
    crud.remove(rule)


def check_own(rule: Rule) -> None:
    """Raise Conflict if the rule is predefined."""
    if rule.owner_id is None:
        raise Conflict("This rule is predefined and stays as it is; make one of your own.")


def frequency_of(rrule: str) -> str:
    """Return FREQ of a recurrence text that was checked."""
    parts = dict(part.split("=", 1) for part in rrule.removeprefix("RRULE:").split(";"))
    return parts["FREQ"]


def _frequency(wanted: str | None, params: str, rrule: str | None) -> str:
    if rrule is None:
        if wanted is None:
            raise Invalid({"frequency": ["this field is required if there is no rrule"]})
        _parse(wanted, params, None)
        return wanted
    if params:
        raise Invalid({"params": ["must be empty if there is an rrule"]})
    frequency = frequency_of(rrule)
    if wanted not in (None, frequency):
        raise Invalid({"frequency": [f"must be {frequency}, as the rrule has it, or left out"]})
    _parse(frequency, params, rrule)
    return frequency


def _parse(frequency: str, params: str, rrule: str | None) -> None:
    try:
        recurrence.parse(frequency, params, rrule)
    except ValueError as error:
        raise Invalid({"params" if rrule is None else "rrule": [str(error)]}) from None
