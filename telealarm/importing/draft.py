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
class Note:
    """What the import changed, left out or guessed on a line of the file."""

    line: int
    text: str


@dataclass(frozen=True)
class Moved:
    """One occurrence of a series with another time or other fields.

    `alarms` are its own ones. None: it has those of the series.
    """

    line: int
    start: str
    to: str
    changes: Body
    alarms: list[Body] | None = None


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
    # The zone of the rule, if it is not that of the event.
    rule_timezone: str | None = None
    moved: list[Moved] = field(default_factory=list)
    cancelled: bool = False
    # The version of the event. None: the file does not say.
    sequence: int | None = None
    # A reminder plan makes the alarms of its event.
    planned: bool = False
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

    @property
    def is_simple(self) -> bool:
        """Return whether it is an event that happens once, and not a part of a series."""
        return not (self.cancelled or self.rrule or self.moved or self.series or self.original)

    def digest(self) -> str:
        """Return a digest of the event's content in the file. Its line does not count."""
        moved = [_content(item) for item in self.moved]
        content = [self.event, self.alarms, self.rrule, moved, self.cancelled]
        # A database that was filled by an earlier version knows the digest without it.
        if self.rule_timezone is not None:
            content.append(self.rule_timezone)
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _content(moved: Moved) -> list[Any]:
    content: list[Any] = [moved.start, moved.to, moved.changes]
    return content if moved.alarms is None else [*content, moved.alarms]
