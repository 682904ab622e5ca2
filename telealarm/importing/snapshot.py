"""An imported event as it is in the database, with its alarms: kept before and after an import."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

from telealarm.models import Alarm, BaseModel, Event
from telealarm.models.base import UtcField
from telealarm.store.engine.joined import Joined
from telealarm.store.engine.prepared import Each

Snapshot = dict[str, Any]

# What the service writes by itself.
_OF_SERVICE = {
    Event: {
        *("id", "made_to", "next_child_due", "series_edited", "children_made", "notify_count"),
        "plan_due",
    },
    Alarm: {"id", "due", "counted_on"},
}

_EVENTS = Joined(
    Event,
    build=lambda columns: Event.select(*columns).where(Each("ids", Event.id)),
)
_ALARMS = Joined(
    Alarm,
    build=lambda columns: Alarm.select(*columns).where(Each("ids", Alarm.event)).order_by(Alarm.id),
)


def take(event: Event) -> Snapshot:
    """Return the columns of the event and of its alarms, as JSON."""
    alarms = _ALARMS.rows(ids=[event.id])
    return {
        "event": _columns(event),
        "alarms": {str(alarm.id): _columns(alarm) for alarm in alarms},
    }


def take_all(event_ids: Sequence[int]) -> dict[int, Snapshot]:
    """Return the snapshots of these events, by their ids."""
    taken = {
        event.id: {"event": _columns(event), "alarms": {}} for event in _EVENTS.rows(ids=event_ids)
    }
    for alarm in _ALARMS.rows(ids=event_ids):
        taken[alarm.event_id]["alarms"][str(alarm.id)] = _columns(alarm)
    return taken


def values(model: type[BaseModel], columns: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of a snapshot as the values of a row."""
    return {name: _value(model, name, value) for name, value in columns.items()}


def _columns(row: Event | Alarm) -> dict[str, Any]:
    left_out = _OF_SERVICE[type(row)]
    return {name: _text(value) for name, value in row.__data__.items() if name not in left_out}


def _text(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime | time) else value


def _value(model: type[BaseModel], name: str, value: object) -> object:
    field = model._meta.fields[name]
    if isinstance(value, str) and isinstance(field, UtcField):
        return datetime.fromisoformat(value)
    if isinstance(value, str) and name in ("daily_start", "daily_stop"):
        return time.fromisoformat(value)
    return value
