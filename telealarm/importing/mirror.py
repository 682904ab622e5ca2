"""The events that a source had before, and that are not in its newer file."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from telealarm.importing import content, shape
from telealarm.models import Calendar, Event
from telealarm.store.calendars import called_off
from telealarm.store.engine import time_zones

# From so many events on, half of all that are ahead are a large part of them.
_MANY = 3


@dataclass(frozen=True)
class Gone:
    """The events that are not in the file, of all that the source has ahead."""

    events: list[Event]
    # The days of which nothing would be left.
    days: list[date]
    ahead: int

    @property
    def lines(self) -> list[str]:
        """A line for each event."""
        return [f"{event.title}: {_at(event)} is not in the file" for event in self.events]

    @property
    def doubt(self) -> str:
        """Return why somebody should look before these are called off; empty: nobody need."""
        number = len(self.events)
        if self.events and number == self.ahead:
            return f"these are all {number} events that are ahead"
        if self.days:
            days = ", ".join(str(day) for day in self.days[:5])
            return f"nothing would be left of {days}"
        if number >= _MANY and 2 * number >= self.ahead:
            return f"these are {number} of {self.ahead} events that are ahead"
        return ""


def find(
    calendars: Sequence[Calendar],
    source: str,
    in_file: Collection[str],
    groups: Collection[str],
    now: datetime,
) -> Gone:
    """Return the events of the source in these calendars that are not in the file.

    `groups` are the UIDs that the file names. An older version did not note the source: its events
    count as of every source.
    """
    gone, ahead = [], []

    def is_there(uid: str) -> bool:
        return uid in in_file or uid in groups or shape.group_of(uid) in groups

    mine = (
        Event.calendar.in_([calendar.id for calendar in calendars])
        & Event.uid.is_null(False)
        & Event.deleted.is_null()
        & Event.parent_event.is_null()
        & (Event.import_source.is_null() | (Event.import_source == source))
    )
    # Most often all are there, and nothing more needs to be read.
    if all(is_there(uid) for (uid,) in Event.select(Event.uid).where(mine).tuples().execute()):
        return Gone([], [], 0)
    for calendar in calendars:
        own = Event.select().where(mine, Event.calendar == calendar.id)
        for event in own.order_by(Event.start):
            if content.read(event).off or not called_off.is_open(event):
                continue
            if not called_off.is_ahead(event, now):
                continue
            ahead.append(event)
            if not is_there(event.uid or ""):
                gone.append(event)
    left = Counter(_day(event) for event in ahead if event not in gone)
    days = Counter(_day(event) for event in gone)
    empty = sorted(day for day, number in days.items() if number > 1 and not left[day])
    return Gone(gone, empty, len(ahead))


def _day(event: Event) -> date:
    return event.start.astimezone(time_zones.of_event(event)).date()


def _at(event: Event) -> str:
    return f"{event.start.astimezone(time_zones.of_event(event)):%Y-%m-%d %H:%M}"
