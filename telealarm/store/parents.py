"""Parent events: what is to be done when one of them, or an alarm of it, was edited."""

from collections.abc import Sequence
from datetime import datetime

from telealarm.models import Event
from telealarm.store import rows
from telealarm.store.database import wake


def edited(event_ids: Sequence[int], now: datetime) -> None:
    """These events, or alarms of theirs, were edited: the children of those that recur follow."""
    for ids in rows.chunks(event_ids):
        found = Event.update(series_edited=True, next_child_due=now).where(
            Event.id.in_(ids),
            Event.parent_event.is_null(),
            Event.rule.is_null(False) | Event.made_to.is_null(False),
            Event.deleted.is_null(),
        )
        if found.execute():
            wake("series")
