"""The timeline: what happened to an alarm, and why. Each row is written with its change."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from telealarm.clock import utcnow
from telealarm.models import AlarmRequest, Timeline
from telealarm.store.engine.prepared import Prepared, insertion

_INSERT = Prepared(
    Timeline,
    lambda: insertion(
        "entries", Timeline.alarm, Timeline.request, Timeline.at, Timeline.what, Timeline.why
    ),
)


@dataclass(frozen=True)
class Entry:
    """What happened to an alarm, in which attempt, when and why."""

    alarm_id: int
    what: str
    why: str = ""
    request_id: int | None = None
    at: datetime = field(default_factory=utcnow)


def record(
    alarm_id: int,
    what: str,
    why: str = "",
    *,
    request_id: int | None = None,
    at: datetime | None = None,
) -> None:
    """Add a row. Call it within the write that makes the change."""
    record_all([Entry(alarm_id, what, why, request_id, at or utcnow())])


def record_each(requests: Sequence[AlarmRequest], what: str, why: str, *, at: datetime) -> None:
    """Add a row for each request, to the timelines of their alarms."""
    record_all(Entry(request.alarm_id, what, why, request.id, at) for request in requests)


def record_all(entries: Iterable[Entry]) -> None:
    """Add these rows."""
    rows = [
        (entry.alarm_id, entry.request_id, entry.at, entry.what, entry.why) for entry in entries
    ]
    _INSERT.run(entries=rows)
