"""Alarms that were carried out, and that are wanted once more: of a moved event, say."""

from datetime import datetime

from telealarm.models import Alarm, Event
from telealarm.store.alarms import alarms, parents
from telealarm.store.engine import search_index
from telealarm.store.engine.timeline import record
from telealarm.words import AlarmStatus, TimelineWord

# What an alarm has of itself, or of its attempts.
_OWN = frozenset(
    {
        *("id", "due", "num_attempt", "status", "status_reason", "result"),
        *("created_date", "detached", "deleted", "counted_on"),
    }
)
DONE = (AlarmStatus.SUCCESS, AlarmStatus.FAILURE, AlarmStatus.MISSED)


def renew(alarm: Alarm, event: Event, now: datetime) -> Alarm:
    """Return a new alarm like `alarm`, which stays with the log of its calls."""
    names = [name for name in Alarm._meta.sorted_field_names if name not in _OWN]
    values = {name: alarm.__data__[name] for name in names}
    if event.rule_id is None:
        # In an occurrence, only the first copy of an alarm follows it.
        values["origin"] = None
    new = Alarm.create(**values, created_date=now)
    search_index.add(new)
    record(new.id, TimelineWord.CREATED, f"anew, after alarm {alarm.id}", at=now)
    alarms.admit(new, event)
    if event.rule_id is not None:
        replace(alarm, new, now)
    return new


def replace(alarm: Alarm, new: Alarm, now: datetime) -> None:
    """Let the occurrences of a series follow the new alarm."""
    Alarm.update(origin=new).where(Alarm.origin == alarm.id).execute()
    Alarm.update(deleted=now, due=None).where(Alarm.id == alarm.id).execute()
    parents.edited([new.event_id], now)
