"""What an import changes, event by event, so that it can be taken back."""

from collections.abc import Iterable, Mapping
from typing import Any

from telealarm.importing import snapshot
from telealarm.importing.snapshot import Snapshot
from telealarm.models import Event, ImportChange, ImportRun
from telealarm.store import audit
from telealarm.store.audit import Actor, Changes
from telealarm.store.engine import crud


class Journal:
    """The changes of one import. It has an id as soon as something was changed."""

    def __init__(self, file: str, source: str, actor: Actor) -> None:
        self._actor = actor
        self._file = file[-255:]
        self._source = source
        self._run: ImportRun | None = None

    @property
    def id(self) -> int | None:
        return None if self._run is None else self._run.id

    def before(self, events: Iterable[Event]) -> dict[int, Snapshot]:
        """Return the events, and the occurrences of the series among them, as they are."""
        rows = {event.id: event for event in events}
        series = [event.id for event in rows.values() if event.rule_id is not None]
        children = Event.select().where(
            Event.parent_event.in_(series), Event.original_start.is_null(False)
        )
        rows.update({child.id: child for child in children} if series else {})
        return {number: snapshot.take(event) for number, event in rows.items()}

    def record(self, group: str, before: dict[int, Snapshot], events: Iterable[Event]) -> None:
        """Keep what has changed since `before`. `events` are those of the group now.

        Occurrences that follow their series are left out: they will follow it back.
        """
        ids = {*before, *(event.id for event in events)}
        moved = Event.select(Event.id).where(Event.parent_event.in_(ids), Event.detached)
        ids |= {child.id for child in moved}
        for event in Event.select().where(Event.id.in_(ids)).order_by(Event.id):
            was, now = before.get(event.id), snapshot.take(event)
            if was != now and not _follows(was, now):
                after: dict[str, Any] = {**now, "group": group}
                ImportChange.create(run=self._open(), event=event, before=was, after=after)
                self._audit(event, was, now)

    def record_new(self, groups: Mapping[int, str]) -> None:
        """Keep new events that the API has written. `groups`: the group of each, by its id."""
        taken = snapshot.take_all(list(groups))
        changes = [
            ImportChange(
                run=self._open(), event=event_id, before=None, after={**now, "group": group}
            )
            for event_id, group in groups.items()
            for now in (taken[event_id],)
        ]
        crud.create_all(changes)

    def _audit(self, event: Event, was: Snapshot | None, now: Snapshot) -> None:
        """Add an event to the audit log that was not written through the API, or by an undo."""
        if not audit.mentions("event", event.id):
            changes = difference(was, now)
            owner_id = event.owner_id
            audit.add(self._actor, "event", event.id, "import", changes, owner_id=owner_id)

    def forget(self) -> None:
        """What was recorded is rolled back."""
        self._run = None

    def _open(self) -> ImportRun:
        if self._run is None:
            self._run = ImportRun.create(file=self._file, source=self._source)
        return self._run


def difference(was: Snapshot | None, now: Snapshot) -> Changes:
    """Return the columns of an event that differ, for the audit log."""
    before = (was or {}).get("event", {})
    return {
        name: (before.get(name), value)
        for name, value in now["event"].items()
        if before.get(name) != value and name not in _INTERNAL
    }


# What only the import itself needs.
_INTERNAL = {"imported", "import_digest", "import_sequence", "series_edited", "made_to"}


def _follows(was: Snapshot | None, now: Snapshot) -> bool:
    """Return whether an occurrence followed its series all the time, and was not called off."""
    if was is None:
        return False
    before, after = was["event"], now["event"]
    is_child = all(
        one["parent_event"] is not None and not one["detached"] for one in (before, after)
    )
    return is_child and before["status"] == after["status"]
