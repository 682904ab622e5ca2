"""Parent events: what is to be done when one of them, or an alarm of it, was edited."""

from collections.abc import Sequence
from datetime import datetime

from telealarm.models import Event
from telealarm.store.engine import crud
from telealarm.store.engine.database import wake


def edited(event_ids: Sequence[int], now: datetime) -> None:
    """These events, or alarms of theirs, were edited: the children of those that recur follow.

    Where a series had ended and goes on now, what would have been in between is not owed.
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
