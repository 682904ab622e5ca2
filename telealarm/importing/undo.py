"""Takes an import back: each event is as it was before it.

What was called since then, or edited by a person or by another import, is left and named. The
events of one UID of the file are taken back together or not at all.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from telealarm.clock import utcnow
from telealarm.errors import TeleAlarmError
from telealarm.importing import snapshot
from telealarm.importing.journal import difference
from telealarm.importing.snapshot import Snapshot
from telealarm.models import Alarm, Event, ImportChange, ImportRun
from telealarm.store import audit
from telealarm.store.alarms import alarms, attempts, parents
from telealarm.store.calendars import children, events
from telealarm.store.engine import search_index
from telealarm.store.engine.database import Database
from telealarm.store.engine.timeline import record
from telealarm.words import UNSETTLED, AlarmStatus, AuditRoad, EventStatus, TimelineWord

# A call that was made since.
_CALLED = ("num_attempt", "result")


@dataclass
class Undone:
    """How many events were taken back, and a line for each that was left."""

    taken_back: int = 0
    left: list[str] = field(default_factory=list)


def undo(db: Database, number: int, *, dry_run: bool = False) -> Undone:
    """Take an import back. Raises TeleAlarmError if there is none, or it was taken back."""

    def work() -> Undone:
        run = ImportRun.get_or_none(ImportRun.id == number)
        if run is None:
            raise TeleAlarmError(
                f"there is no import {number}; the report of an import says its id"
            )
        if run.undone is not None:
            raise TeleAlarmError(f"import {number} was taken back at {run.undone:%Y-%m-%d %H:%M}Z")
        with audit.together():
            return _undo(run, utcnow(), dry_run=dry_run)

    return db.run(work)


def _undo(run: ImportRun, now: datetime, *, dry_run: bool) -> Undone:
    result = Undone()
    groups: dict[tuple[int, str], list[ImportChange]] = {}
    for change in ImportChange.select().where(ImportChange.run == run).order_by(ImportChange.id):
        key = (change.event.calendar_id, change.after["group"])
        groups.setdefault(key, []).append(change)
    for changes in groups.values():
        reasons = [_reason(change) for change in changes]
        if any(reasons):
            result.left += [
                f"{change.event.title} at {change.event.start:%Y-%m-%d %H:%M}Z: {why}"
                for change, why in zip(changes, reasons, strict=True)
                if why
            ]
            continue
        result.taken_back += len(changes)
        if not dry_run:
            _take_back(changes, now)
            _audit(changes)
    if not dry_run:
        ImportRun.update(undone=now).where(ImportRun.id == run.id).execute()
    return result


def _reason(change: ImportChange) -> str:
    """Return why the event stays as it is; empty: it can be taken back."""
    here = snapshot.take(change.event)
    after = {name: change.after[name] for name in here}
    if here == after:
        return ""
    if _calls(here) != _calls(after):
        return "was called since"
    if change.event.status == EventStatus.COMPLETED and change.event.end <= utcnow():
        return "is over"
    return "was changed since"


def _calls(one: Snapshot) -> list[Any]:
    """Return what the attempts of its alarms have written."""
    begun = (AlarmStatus.IN_PROCESS, AlarmStatus.RETRY)
    return [
        (number, alarm["status"] in begun, *(alarm[name] for name in _CALLED))
        for number, alarm in sorted(one["alarms"].items())
        if alarm["num_attempt"] or alarm["status"] in begun
    ]


def _take_back(changes: list[ImportChange], now: datetime) -> None:
    # First free the UIDs, which are unique in a calendar.
    Event.update(uid=None).where(Event.id.in_([change.event_id for change in changes])).execute()
    for change in changes:
        if change.before is None and change.event.parent_event_id is not None:
            # Its series has the occurrence again.
            children.hide([change.event_id], now)
        elif change.before is None:
            events.delete(change.event, now)
    for change in changes:
        if change.before is not None:
            _restore(Event.get_by_id(change.event_id), change.before, now)


def _audit(changes: list[ImportChange]) -> None:
    actor = audit.by_command(AuditRoad.IMPORT)
    for change in changes:
        event = Event.get_by_id(change.event_id)
        undone = difference(change.after, snapshot.take(event))
        audit.add(actor, "event", event.id, "undo", undone, owner_id=event.owner_id)


def _restore(event: Event, before: Snapshot, now: datetime) -> None:
    """Write the event and its alarms as they were `before`."""
    values = snapshot.values(Event, before["event"])
    Event.update(values).where(Event.id == event.id).execute()
    event = Event.get_by_id(event.id)
    for alarm in list(Alarm.select().where(Alarm.event == event.id)):
        kept = before["alarms"].get(str(alarm.id))
        if kept is None:
            alarms.delete([alarm], now)
        else:
            _restore_alarm(alarm, snapshot.values(Alarm, kept), event, now)
    if event.rule_id is not None and event.next_child_due is None:
        Event.update(made_to=now).where(Event.id == event.id).execute()
    search_index.refresh(Event, [event.id])
    search_index.refresh(
        Alarm, [alarm.id for alarm in Alarm.select().where(Alarm.event == event.id)]
    )
    parents.edited([event.id], now)


def _restore_alarm(alarm: Alarm, values: dict[str, Any], event: Event, now: datetime) -> None:
    old = alarm.status
    Alarm.update(values).where(Alarm.id == alarm.id).execute()
    alarm = Alarm.get_by_id(alarm.id)
    if alarm.status != old:
        pending = alarm.status in UNSETTLED
        what = TimelineWord.REARMED if pending else TimelineWord.CANCELLED
        record(alarm.id, what, "the import was taken back", at=now)
    if alarm.status in UNSETTLED:
        if old in UNSETTLED:
            alarms.schedule(alarm, event)
        else:
            alarms.admit(alarm, event)
        attempts.reconsider([alarm.id])
