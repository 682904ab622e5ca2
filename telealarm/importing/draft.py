"""Events that were read from a file and are not written yet, as bodies for the API."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

Body = dict[str, Any]

NO_UID = "must be 1 to 200 characters that can be seen"


def is_uid(uid: str) -> bool:
    """Return whether `uid` can identify an event. An occurrence appends a short text to it."""
    return 0 < len(uid) <= 200 and uid.isprintable()


@dataclass(frozen=True)
class Rejected:
    """An event that cannot be imported: its line, and a message that says what to change."""

    line: int
    message: str
    # The UID in the file, if it is known. What was imported of it before stays then.
    uid: str = ""


@dataclass(frozen=True)
class Moved:
    """One occurrence of a series with another time or other fields."""

    line: int
    start: str
    to: str
    changes: Body


@dataclass(frozen=True)
class Draft:
    """An event with its alarms. A second import finds the event by its `uid`."""

    line: int
    uid: str
    event: Body
    alarms: list[Body] = field(default_factory=list)
    # The id or name of the calendar, if the row names one.
    calendar: str | None = None
    rrule: str | None = None
    moved: list[Moved] = field(default_factory=list)
    cancelled: bool = False
    # A note about how the event was read.
    remark: str = ""
    # The UID in the file, if this is one of several events of it.
    series: str | None = None
    # The file has only this occurrence of the series `series`: its start there, on the wall clock
    # of the event's zone.
    original: str | None = None

    @property
    def group(self) -> str:
        """The UID in the file. All drafts of a group are what the file says of that UID."""
        return self.series or self.uid

    def digest(self) -> str:
        """Return a digest of the event's content in the file. Its line does not count."""
        moved = [(item.start, item.to, item.changes) for item in self.moved]
        content = (self.event, self.alarms, self.rrule, moved, self.cancelled)
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
