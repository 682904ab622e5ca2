"""Makes the bodies for the API from one event of an iCalendar file."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from telealarm.importing import cancelled, durations, valarm
from telealarm.importing.draft import Body, Draft, Moved
from telealarm.importing.valarm import Timing
from telealarm.importing.vevent import Item, Wrong
from telealarm.importing.zones import Zones

_TITLE, _DESCRIPTION, _LOCATION = 255, 10_000, 500


@dataclass(frozen=True)
class Wish:
    """The options that the file does not contain. Without a number, events get no alarms."""

    number: str | None
    advance_seconds: int
    # The zone of local times without a zone.
    zone: ZoneInfo
    now: datetime
    # Finds the number of an event in what the file says about it. None: `number` is that of all.
    find_number: Callable[[Item], str | None] | None = None
    # Whether an event counts. What does not count is as if it were not in the file.
    counts: Callable[[Item], bool] = lambda item: True

    @property
    def has_numbers(self) -> bool:
        """Whether events may get alarms."""
        return self.number is not None or self.find_number is not None

    def number_of(self, item: Item) -> str | None:
        """Return the number for the alarms of an event."""
        found = None if self.find_number is None else self.find_number(item)
        return found or self.number


class Drafting:
    """Makes the drafts of one file."""

    def __init__(self, wish: Wish, zones: Zones, *, cancels: bool) -> None:
        self.wish = wish
        self._zones = zones
        self._cancels = cancels

    def draft(self, item: Item, uid: str) -> Draft:
        """Return the draft of the event alone, with its rule but without exceptions.

        What it changes, leaves out or guesses it adds to the notes of the item. Raises Wrong.
        """
        try:
            return self._draft(item, uid)
        except OverflowError:
            raise Wrong("its times must lie between 1970 and 2199") from None

    def _draft(self, item: Item, uid: str) -> Draft:
        start = item.start
        if start is None:
            raise Wrong("DTSTART: must be there")
        name = self._zone_of(item, start)
        end = self._end(item, start, name)
        body: Body = {
            "title": self._plain(item, "SUMMARY", _TITLE) or "(no title)",
            "start": self.local(start, name),
            "timezone": name,
        }
        body["end"] = None if end is None else self.local(end, name)
        if description := self._plain(item, "DESCRIPTION", _DESCRIPTION):
            body["description"] = description
        if location := self._plain(item, "LOCATION", _LOCATION):
            body["data"] = {"location": location}
        rrule = item.event.get("RRULE")
        if rrule is not None:
            body["end_recurring_period"] = None
        in_utc = item.text("DTSTART").upper().endswith("Z")
        rule_zone = "UTC" if rrule is not None and in_utc and name != "UTC" else None
        if rule_zone and item.recurs:
            self._note_the_clock(item, start, name)
        return Draft(
            line=item.line,
            uid=uid,
            event=body,
            alarms=self._alarms(item, start, end, name),
            rrule=None if rrule is None else rrule.to_ical().decode(),
            rule_timezone=rule_zone,
            cancelled=self._cancels or self.is_cancelled(item),
            sequence=item.sequence,
        )

    def moved(self, item: Item, draft: Draft, place: str) -> Moved:
        """Return the occurrence at `place` as the item has it. Raises Wrong."""
        if item.start is None:
            raise Wrong("DTSTART: must be there")
        here = self.draft(item, draft.uid)
        named = {"title": "SUMMARY", "description": "DESCRIPTION", "data": "LOCATION"}
        changes = {
            name: here.event[name]
            for name, source in named.items()
            if item.text(source) and here.event.get(name) != draft.event.get(name)
        }
        if here.event["end"] is not None:
            changes["end"] = here.event["end"]
        alarms = here.alarms if item.triggers and here.alarms != draft.alarms else None
        return Moved(item.line, place, here.event["start"], changes, alarms)

    def original(self, item: Item, draft: Draft) -> str:
        """Return the start of the occurrence that the item replaces, on the clock of the draft.

        Raises Wrong.
        """
        original = item.moment("RECURRENCE-ID")
        if original is None:
            raise Wrong("RECURRENCE-ID: must be a date or a time")
        if not isinstance(original, datetime):
            first = datetime.fromisoformat(draft.event["start"])
            original = datetime.combine(original, first.time())
        local = datetime.fromisoformat(self.local(original, draft.event["timezone"]))
        return local.replace(tzinfo=None).isoformat()

    def is_cancelled(self, item: Item) -> bool:
        """Return whether the event is cancelled. A title that says so gets a note."""
        if cancelled.by_status(item.text("STATUS")):
            return True
        title = str(item.event.get("SUMMARY", ""))
        if word := cancelled.prefix(title):
            item.note(f"the title says {word!r}: it counts as cancelled and does not ring")
            return True
        if word := cancelled.word(title):
            item.note(f"the title says {word!r}, but it rings: STATUS:CANCELLED would call it off")
        return False

    def local(self, moment: date, name: str | None) -> str:
        """Return a text for the API: the moment in the zone `name`.

        A moment without a zone stays unchanged. So does a wall time that the clock skips: only its
        own occurrence moves, and not the others of its series.
        """
        if not isinstance(moment, datetime):
            moment = datetime.combine(moment, time())
        if moment.tzinfo is None:
            return moment.isoformat()
        there = moment.astimezone(self._zone(name))
        wall = there.replace(tzinfo=None)
        shown = there.astimezone(UTC).astimezone(self._zone(name)).replace(tzinfo=None)
        return (there if shown == wall else wall).isoformat()

    def _zone_of(self, item: Item, start: date) -> str | None:
        """Return the IANA zone of the event. None: the zone of our calendar."""
        if not isinstance(start, datetime):
            return self._zones.floating
        if item.text("DTSTART").upper().endswith("Z"):
            # A moment in UTC is shown in the zone of the file's calendar.
            return self._zones.default
        return None if start.tzinfo is None else str(start.tzinfo)

    def _note_the_clock(self, item: Item, start: date, name: str | None) -> None:
        """Note a series in UTC if the clock of its event changes."""
        zone = self._zone(name)
        offsets = {datetime(start.year, n, 1, tzinfo=zone).utcoffset() for n in range(1, 13)}
        if len(offsets) > 1:
            item.note(f"repeats in UTC: in {zone} its hour changes with the clock")

    def _end(self, item: Item, start: date, name: str | None) -> date | None:
        """Return the end. None: an hour after the start."""
        end = item.moment("DTEND")
        if end is None and item.text("DURATION"):
            length = durations.parse(item.text("DURATION"))
            # Its days keep the wall clock, the rest is elapsed (RFC 5545 3.3.6).
            end = start + timedelta(days=length.days)
            if length.seconds:
                first = self._moment(end, name).astimezone(UTC)
                end = (first + timedelta(seconds=length.seconds)).astimezone(self._zone(name))
        if not isinstance(start, datetime):
            usual: date | None = start + timedelta(days=1)
        else:
            usual = None
        if end is None:
            return usual
        if self._moment(end, name) == self._moment(start, name):
            if item.text("DTEND") or item.text("DURATION"):
                lasts = "a day" if usual else "an hour"
                item.note(f"it ends when it starts; here it lasts {lasts}")
            return usual
        return end

    def _zone(self, name: str | None) -> ZoneInfo:
        return ZoneInfo(name) if name else self.wish.zone

    def _moment(self, moment: date, name: str | None) -> datetime:
        """Return an aware moment on the clock of the event."""
        if not isinstance(moment, datetime):
            moment = datetime.combine(moment, time())
        zone = self._zone(name)
        return moment.astimezone(zone) if moment.tzinfo else moment.replace(tzinfo=zone)

    def _alarms(self, item: Item, start: date, end: date | None, name: str | None) -> list[Body]:
        number = self.wish.number_of(item)
        if number is None:
            return []
        first = self._moment(start, name)
        timing = Timing(
            start=first,
            end=first + timedelta(hours=1) if end is None else self._moment(end, name),
            has_end=end is not None,
            whole_day=item.is_whole_day,
            recurs=item.recurs,
        )
        alarms = valarm.bodies(item.triggers, timing, number, item.notes)
        if alarms:
            return alarms
        day = start if item.is_whole_day else None
        return [valarm.usual(number, self.wish.advance_seconds, day)]

    def _plain(self, item: Item, name: str, longest: int) -> str:
        value = item.event.get(name, "")
        text = str(value[0] if isinstance(value, list) else value)
        kept = "\n\t" if name == "DESCRIPTION" else ""
        text = "".join(c if c in kept or c.isprintable() else " " for c in text).strip()
        if len(text) > longest:
            item.note(f"{name} has {len(text)} characters; the first {longest} count")
        return text[:longest]


def alone(draft: Draft) -> Draft:
    """Return the draft of one occurrence, without a rule."""
    return replace(draft, rrule=None, rule_timezone=None)
