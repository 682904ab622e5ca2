"""What a file said of an event when it was imported last, kept with the event.

The next import compares the file with it. So it writes what has changed in the file, and leaves
what was changed here.
"""

from dataclasses import dataclass, field

from telealarm import methods
from telealarm.importing.draft import Body, Draft
from telealarm.models import Alarm, Event
from telealarm.store.engine import crud, time_zones

# What an event has if the file no longer names the field.
_UNSET: Body = {
    **{"description": None, "data": None, "end": None, "timezone": None},
    **{"type": "", "reminder_plan": None},
}
# A change of one of them is read with the others.
_TIMES = ("start", "end", "timezone")


# The columns of an event that hold its content.
COLUMNS = ("imported", "import_sequence", "import_digest", "import_source")


@dataclass
class Content:
    """An event as the file had it. `known` is False if an older version imported it."""

    event: Body = field(default_factory=dict)
    rrule: str | None = None
    rule_timezone: str | None = None
    # The id of each alarm, with its fields in the file.
    alarms: list[tuple[int, Body]] = field(default_factory=list)
    # The moved occurrences: their start in the series, with their place, fields and own alarms.
    moved: dict[str, Body] = field(default_factory=dict)
    # Why the import called the event off; empty: it did not.
    off: str = ""
    # The events that the import completed: the event, and occurrences of it.
    ended: list[int] = field(default_factory=list)
    known: bool = True

    def changes(self, draft: Draft) -> Body:
        """Return the fields of the event that the file has changed since, without `exdate`."""
        new = {name: value for name, value in draft.event.items() if name != "exdate"}
        changed = {
            name: value
            for name, value in new.items()
            if name not in self.event or self.event[name] != value
        }
        for name, value in _UNSET.items():
            if name in self.event and name not in new:
                changed[name] = value
        if not changed.keys().isdisjoint(_TIMES):
            changed.update({name: new.get(name) for name in _TIMES})
        return changed

    def save(self, event: Event, draft: Draft, source: str) -> None:
        """Keep it with the event, and the digest of what the file says now."""
        self.put(event, draft, source)
        crud.write_all([event], COLUMNS)

    def put(self, event: Event, draft: Draft, source: str) -> None:
        """Put it into the columns of the event, which the caller writes."""
        event.imported = {
            "event": self.event,
            "rrule": self.rrule,
            "rule_timezone": self.rule_timezone,
            "alarms": [list(pair) for pair in self.alarms],
            "moved": self.moved,
            "off": self.off,
            "ended": self.ended,
        }
        event.import_digest, event.import_source = draft.digest(), source
        if draft.sequence is not None:
            event.import_sequence = draft.sequence


def read(event: Event) -> Content:
    """Return what the file said of the event."""
    kept = event.imported
    if kept is None:
        return _of_older_version(event)
    pairs = [(number, body) for number, body in kept["alarms"]]
    return Content(**{**kept, "alarms": pairs})


def _of_older_version(event: Event) -> Content:
    """Return what can be known: an import wrote an event, its alarms and its moved occurrences at
    one moment.
    """
    zone = time_zones.of_event(event)
    alarms = Alarm.select().where(
        Alarm.event == event.id, Alarm.created_date == event.created_on, Alarm.about.is_null()
    )
    children = Event.select().where(
        Event.parent_event == event.id,
        Event.created_on == event.created_on,
        Event.original_start.is_null(False),
        Event.detached,
    )
    moved: dict[str, Body] = {}
    for child in children:
        assert child.original_start is not None
        start = child.original_start.astimezone(zone).replace(tzinfo=None).isoformat()
        moved[start] = {"to": child.start.isoformat(), "changes": {}}
    pairs = [(alarm.id, _address(alarm)) for alarm in alarms.order_by(Alarm.id)]
    return Content(alarms=pairs, moved=moved, known=False)


def _address(alarm: Alarm) -> Body:
    method = methods.of(alarm.method)
    return {"method": str(method.number), method.address.field: alarm.recipient}
