"""The exceptions of a series: occurrences that the file cancels or replaces."""

from dataclasses import replace
from datetime import date, datetime

from telealarm.importing.draft import Draft, Moved
from telealarm.importing.event_draft import Drafting
from telealarm.importing.exceptions import Places
from telealarm.importing.vevent import Item, Wrong

# More cannot be in one series; the oldest are over.
_MOST = 1000


class Exceptions:
    """Collects the exceptions of one series."""

    def __init__(self, drafting: Drafting, master: Item, draft: Draft) -> None:
        self._drafting = drafting
        self._master = master
        self._draft = draft
        self._places = Places(draft, drafting.wish.zone)
        # By occurrence, so that each is there once.
        self._cancelled: dict[datetime | str, str] = {}
        self._moved: dict[str, Moved] = {}
        for moment in master.moments("EXDATE"):
            self._cancel(moment)

    def add(self, item: Item) -> bool:
        """Add an event with a RECURRENCE-ID. Return False if it must be an event of its own.

        That is so if the series has no such occurrence. Raises Wrong.
        """
        original = item.moment("RECURRENCE-ID")
        if original is None:
            raise Wrong("RECURRENCE-ID: must be a date or a time")
        there = self._places.of(original)
        gone = self._drafting.is_cancelled(item)
        if there is None:
            place = self._drafting.local(original, self._draft.event["timezone"])
        elif there:
            place = self._places.wall(there[0])
        else:
            text = "replaces an occurrence that the series does not have"
            item.note(f"{text}, and is left out" if gone else f"{text}: it is an event of its own")
            return gone
        if gone:
            self._cancelled[there[0] if there else place] = place
            return True
        if there and self._cancelled.pop(there[0], None) is not None:
            item.note("its occurrence is also in EXDATE; it counts")
        self._moved[place] = self._drafting.moved(item, self._draft, place)
        if not item.triggers and self._master.triggers:
            item.note("has no alarm; it rings as the others of its series do")
        return True

    def applied(self) -> Draft:
        """Return the draft with its exceptions."""
        exdate = list(self._cancelled.values())
        if len(exdate) > _MOST:
            exdate = sorted(exdate)[-_MOST:]
            self._master.note(f"has {len(self._cancelled)} EXDATE; the last {_MOST} count")
        event = {**self._draft.event, "exdate": exdate} if exdate else self._draft.event
        return replace(self._draft, event=event, moved=list(self._moved.values()))

    def _cancel(self, moment: date) -> None:
        there = self._places.of(moment)
        if there is None:
            text = self._drafting.local(moment, self._draft.event["timezone"])
            self._cancelled[text] = text
            return
        if not there:
            self._master.note(f"EXDATE {moment} fits no occurrence and is left out")
        exact = isinstance(moment, datetime) and self._is_at(moment, there)
        if there and not exact and isinstance(self._master.start, datetime):
            self._master.note(f"EXDATE {moment} cancels what occurs on that day")
        for start in there:
            wall = self._places.wall(start)
            local = self._drafting.local(moment, self._draft.event["timezone"])
            self._cancelled[start] = local if exact else wall

    def _is_at(self, moment: datetime, there: list[datetime]) -> bool:
        return len(there) == 1 and self._places.moment(moment) == there[0]


def recurrence_id(item: Item) -> str:
    """Return the occurrence that the event replaces, as a text for its UID."""
    value = item.event["RECURRENCE-ID"].to_ical()
    return value.decode() if isinstance(value, bytes) else str(value)
