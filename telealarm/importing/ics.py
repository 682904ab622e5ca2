"""An iCalendar file (RFC 5545): events with their rule, exceptions and alarms.

1. `content_lines` cuts the file into components. A fault in one does not touch the others.
2. `vevent` and `valarm` read an event and its alarms; `zones` finds the IANA zone of its times.
3. `versions` chooses among several versions of an event.
4. `event_draft` makes the bodies for the API, `series_draft` adds the exceptions of a series, and
   `expansion` makes separate events of a series that is not a single rule.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from telealarm.errors import TeleAlarmError
from telealarm.importing import expansion, series_draft, vevent
from telealarm.importing.content_lines import Component, components
from telealarm.importing.draft import Draft, Note, Rejected, is_uid
from telealarm.importing.event_draft import Drafting, Wish
from telealarm.importing.versions import newest
from telealarm.importing.vevent import Item, Wrong
from telealarm.importing.zones import Zones

__all__ = ["Wish", "read"]

# Such a file is a message about an event (RFC 5546), and not the event.
_MESSAGES = ("REPLY", "REFRESH", "COUNTER", "DECLINECOUNTER")

Found = Iterator[Draft | Rejected | Note]


def read(path: Path, wish: Wish) -> Found:
    """Yield the events of the file, and notes about what was changed, left out or guessed.

    Raises TeleAlarmError if it is not an iCalendar file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TeleAlarmError(f"{path} cannot be read: {error.strerror}") from None
    yield from read_bytes(data, str(path), wish)


def read_bytes(data: bytes, name: str, wish: Wish) -> Found:
    """Yield the events of an iCalendar file in memory, as `read` does. `name`: for the error."""
    top = components(data)
    if all(component.name != "VCALENDAR" for component in top):
        raise TeleAlarmError(f"{name} is no iCalendar file, or not a whole one")
    for component in top:
        if component.name == "VCALENDAR":
            yield from _File(component, wish).drafts()
        else:
            yield Rejected(component.line, f"{component.name}: must be inside of a VCALENDAR")


class _File:
    """One calendar of a file."""

    def __init__(self, calendar: Component, wish: Wish) -> None:
        self._calendar = calendar
        self._wish = wish
        self._method = calendar.text("METHOD").upper()
        self._zones = Zones(calendar, wish.zone, wish.now)
        self._drafting = Drafting(wish, self._zones, cancels=self._method == "CANCEL")

    def drafts(self) -> Found:
        if self._method in _MESSAGES:
            text = f"METHOD:{self._method}: is a message about an event; export the calendar itself"
            yield Rejected(self._calendar.line, text)
            return
        groups: defaultdict[str, list[Item]] = defaultdict(list)
        nameless: list[Item] = []
        for component in self._calendar.components:
            if component.name != "VEVENT":
                continue
            try:
                item = vevent.read(component, self._zones, alarms=self._wish.has_numbers)
            except Wrong as wrong:
                yield Rejected(component.line, str(wrong), component.text("UID"))
                continue
            uid = item.text("UID")
            if not uid:
                nameless.append(item)
            else:
                groups[uid if is_uid(uid) else _digest(uid)].append(item)
        for uid, item in _named(nameless):
            groups[uid].append(item)
        for uid, group in groups.items():
            if not _counts(group, self._wish):
                continue
            yield from self._group(uid, group)
            for item in group:
                yield from (Note(line, text) for line, text in item.notes)
                yield from (Rejected(item.line, fault, uid) for fault in item.faults)
        yield from self._notes(nameless)

    def _group(self, uid: str, group: list[Item]) -> Found:
        """Yield the drafts of one UID: usually one event, or a series with its exceptions."""
        masters = [item for item in group if not item.is_exception]
        others: list[Item] = []
        exceptions: defaultdict[str, list[Item]] = defaultdict(list)
        for item in group:
            if item.is_exception:
                exceptions[series_draft.recurrence_id(item)].append(item)
        for same in exceptions.values():
            other, messages = newest(same, uid)
            others.append(other)
            yield from messages
        if not masters:
            for item in others:
                yield from self._alone(uid, item, with_series=False)
            return
        master, messages = newest(masters, uid)
        yield from messages
        try:
            if expansion.is_needed(master, others):
                yield from expansion.drafts(self._drafting, uid, master, others)
                return
            draft = self._drafting.draft(master, uid)
        except Wrong as wrong:
            yield Rejected(master.line, str(wrong), uid)
            return
        if draft.rrule is None:
            yield from self._single(uid, master, draft, others)
            return
        exceptions_of = series_draft.Exceptions(self._drafting, master, draft)
        for item in others:
            try:
                if not exceptions_of.add(item):
                    yield from self._alone(uid, item, with_series=True)
            except Wrong as wrong:
                yield Rejected(item.line, str(wrong), uid)
        yield exceptions_of.applied()

    def _single(self, uid: str, master: Item, draft: Draft, others: list[Item]) -> Found:
        """Yield an event that does not recur. An exception of it is the event, or beside it."""
        same = [item for item in others if item.moment("RECURRENCE-ID") == master.start]
        if not same:
            yield draft
        for item in others:
            if item not in same:
                yield from self._alone(uid, item, with_series=True)
                continue
            try:
                yield self._drafting.draft(item, uid)
            except Wrong as wrong:
                yield Rejected(item.line, str(wrong), uid)

    def _alone(self, uid: str, item: Item, *, with_series: bool) -> Found:
        """Yield an occurrence as an event: its series is not in the file, or does not have it."""
        try:
            draft = self._drafting.draft(item, f"{uid}#{series_draft.recurrence_id(item)}")
            original = None if with_series else self._drafting.original(item, draft)
            yield replace(draft, series=uid, original=original)
        except Wrong as wrong:
            yield Rejected(item.line, str(wrong), uid)

    def _notes(self, nameless: list[Item]) -> Iterator[Rejected | Note]:
        calendar = self._calendar
        yield from self._zones.notes
        yield from (Note(line, text) for line, text in calendar.faults)
        if nameless:
            more = f" (so are {len(nameless) - 1} more)" if len(nameless) > 1 else ""
            text = (
                "has no UID: it is known by its start and title, and is another event if one of"
                " them changes"
            )
            yield Note(nameless[0].line, text + more)
        strange: defaultdict[str, list[int]] = defaultdict(list)
        for component in calendar.components:
            if component.name not in ("VEVENT", "VTIMEZONE"):
                strange[component.name].append(component.line)
        for name, lines in strange.items():
            yield Note(
                lines[0], f"{len(lines)} {name} are left out, the first here: only events count"
            )
        if calendar.is_open:
            text = "END:VCALENDAR is missing: the file is cut off; export it again"
            yield Rejected(calendar.line, text)


def _counts(group: list[Item], wish: Wish) -> bool:
    """Return whether an event counts. An exception of a series is not asked if the series is."""
    masters = [item for item in group if not item.is_exception]
    return any(wish.counts(item) for item in masters or group)


def _named(items: list[Item]) -> Iterator[tuple[str, Item]]:
    """Yield a UID for each event without one, as for a row of a sheet.

    It is made from the title and the start, so that a change of the rest is a change of the event.
    If several events have the same, it is made from all that the file says about each.
    """
    same: defaultdict[str, list[Item]] = defaultdict(list)
    for item in items:
        same["\n".join([item.text("SUMMARY"), item.text("DTSTART")])].append(item)
    for key, group in same.items():
        for item in group:
            yield _digest(key if len(group) == 1 else item.content), item


def _digest(text: str) -> str:
    return f"ics-{hashlib.sha256(text.encode()).hexdigest()[:40]}"
