"""The alarms that the source of an event made: a file, or a calendar feed.

If the event gets a reminder plan, they give way to those of the plan, so that nobody is called
twice. What a client edited or deleted stays as it is. If the plan goes, the next import of the
source makes them again.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from peewee import ModelSelect

from telealarm import methods
from telealarm.models import Alarm, Event
from telealarm.store.alarms import alarms
from telealarm.store.engine import crud
from telealarm.store.reminder_plans import contacts, steps
from telealarm.words import UNSETTLED


def give_way(events: Sequence[Event], now: datetime) -> None:
    """Remove what the source made of alarms, of those of these events that have a plan.

    Their numbers and mail addresses go into the data of the event, where the plan looks for them.
    """
    planned = [event for event in events if steps.plan_id(event) is not None]
    recurring = {event.id for event in planned if event.rule_id is not None}
    by_event: defaultdict[int, list[Alarm]] = defaultdict(list)
    for alarm in (*_of_source(planned), *_copied(planned)):
        by_event[alarm.event_id].append(alarm)
    if not by_event:
        return
    gone = [one for some in by_event.values() for one in some if _goes(one, recurring)]
    changed = [event for event in planned if event.id in by_event]
    for event in changed:
        _forget(event, by_event[event.id], {alarm.id for alarm in gone})
    crud.write_all(changed, ("data", "imported", "import_digest"))
    alarms.delete(gone, now)


def _goes(alarm: Alarm, recurring: Collection[int]) -> bool:
    """Return whether an alarm gives way. Those of a series are the patterns of its occurrences'."""
    return not alarm.by_hand and (alarm.status in UNSETTLED or alarm.event_id in recurring)


def copies_of_source(event_ids: Collection[int]) -> "ModelSelect[Alarm]":
    """Select the alarms of occurrences that are copies of those of their series."""
    copies = Alarm.select().where(Alarm.event.in_(event_ids), Alarm.origin.is_null(False))
    return copies.where(Alarm.trigger == "", ~Alarm.by_hand, ~Alarm.detached)


def _of_source(planned: Sequence[Event]) -> Iterable[Alarm]:
    """Return the alarms that a source made of these events."""
    ids = sorted(number for event in planned for number, _ in _pairs(event))
    for some in crud.chunks(ids):
        yield from Alarm.select().where(Alarm.id.in_(some), Alarm.deleted.is_null())


def _copied(planned: Sequence[Event]) -> Iterable[Alarm]:
    """Return the copies that occurrences with a plan of their own have."""
    parent_ids = {event.parent_event_id for event in planned if event.parent_event_id}
    children = [event.id for event in planned if event.parent_event_id]
    of_source = set[int]()
    for some in crud.chunks(sorted(parent_ids)):
        rows = Event.select().where(Event.id.in_(some), Event.import_source.is_null(False))
        of_source.update(number for parent in rows for number, _ in _pairs(parent))
    if not of_source:
        return
    for some in crud.chunks(children):
        for copy in copies_of_source(some).where(Alarm.deleted.is_null()):
            if copy.origin_id in of_source:
                yield copy


def _pairs(event: Event) -> Sequence[tuple[int, Mapping[str, Any]]]:
    return () if event.imported is None else event.imported["alarms"]


def _forget(event: Event, of_source: Sequence[Alarm], gone: Collection[int]) -> None:
    """Let the event forget the alarms that are gone, but not whom they would reach."""
    found: dict[str, str] = {}
    for alarm in of_source:
        if alarm.recipient and not alarm.follows_person:
            found.setdefault(contacts.KEYS[methods.of(alarm.method).address], alarm.recipient)
    if found:
        event.data = {**found, **(event.data or {})}
    if event.imported is None:
        return
    body = event.imported["event"]
    data = {"data": {**found, **(body.get("data") or {})}} if found else {}
    event.imported = {
        **event.imported,
        "event": {**body, **data},
        "alarms": [[number, one] for number, one in _pairs(event) if number not in gone],
    }
    # The next import of the source compares it anew.
    event.import_digest = None if gone else event.import_digest
