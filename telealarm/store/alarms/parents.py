"""Parent events: what happens after an edit of a parent event or of its alarm."""

from collections.abc import Sequence
from datetime import datetime

from telealarm.models import Event
from telealarm.store.engine import crud
from telealarm.store.engine.database import wake


def is_parent(event: Event) -> bool:
    """Return whether the event is the parent of a series, or was it."""
    return event.parent_event_id is None and bool(event.rule_id or event.made_to)


def edited(event_ids: Sequence[int], now: datetime) -> None:
    """Update the children of the recurring ones among these events, because they were edited.

    An edit of an alarm counts as an edit of its event. If an ended series goes on now, the
    occurrences in between are not created.
    """
    for ids in crud.chunks(event_ids):
        concerned = (
            Event.id.in_(ids)
            & Event.parent_event.is_null()
            & (Event.rule.is_null(False) | Event.made_to.is_null(False))
            & Event.deleted.is_null()
        )
        Event.update(made_to=now).where(concerned, Event.next_child_due.is_null()).execute()
        if Event.update(series_edited=True, next_child_due=now).where(concerned).execute():
            wake("series")
