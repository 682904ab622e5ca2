"""What is read from a file, before it is written: bodies in the words of the API."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

Body = dict[str, Any]

NO_UID = "must be 1 to 200 characters that can be seen"


def is_uid(uid: str) -> bool:
    """Whether an event can be known by it; an occurrence of it adds a little."""
    return 0 < len(uid) <= 200 and uid.isprintable()


@dataclass(frozen=True)
class Rejected:
    """What cannot be imported: where it stands, and what to change."""

    line: int
    said: str


@dataclass(frozen=True)
class Moved:
    """One occurrence of a series that happens at another time, or otherwise."""

    line: int
    start: str
    to: str
    changes: Body


@dataclass(frozen=True)
class Draft:
    """An event with its alarms. `uid` is what a second import knows it by."""

    line: int
    uid: str
    event: Body
    alarms: list[Body] = field(default_factory=list)
    # The id or name of the calendar, where the row says its own.
    calendar: str | None = None
    rrule: str | None = None
    moved: list[Moved] = field(default_factory=list)
    cancelled: bool = False
    # What is worth knowing about how it was read.
    remark: str = ""

    def digest(self) -> str:
        """Of all that the file says of the event, wherever it stands in it."""
        moved = [(one.start, one.to, one.changes) for one in self.moved]
        said = (self.event, self.alarms, self.rrule, moved, self.cancelled)
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
