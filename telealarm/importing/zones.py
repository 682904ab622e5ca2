"""The time zones of one iCalendar file: its VTIMEZONEs, and the zone of times without one."""

from collections.abc import Iterator
from datetime import datetime, tzinfo
from io import StringIO
from zoneinfo import ZoneInfo

from dateutil.tz import tzical

from telealarm.importing import tzid as tzids
from telealarm.importing.content_lines import Component
from telealarm.importing.draft import Note

# What dateutil raises for a VTIMEZONE that it cannot read.
_UNREADABLE = (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError)
_OBSERVANCE = ("DTSTART", "RRULE", "RDATE", "TZOFFSETFROM", "TZOFFSETTO", "TZNAME")


class Zones:
    """Finds the IANA zone of each TZID. `local` is the zone of our calendar."""

    def __init__(self, calendar: Component, local: ZoneInfo, now: datetime) -> None:
        self.notes: list[Note] = []
        self.local = local
        self._clocks: dict[str, tzinfo] = {}
        self._lines: dict[str, int] = {}
        self._aliases: dict[str, str] = {}
        self._known: dict[str, str | None] = {}
        for component in calendar.components:
            if component.name == "VTIMEZONE":
                self._define(component)
        # The zone of the file's calendar: times in UTC are shown in it.
        self.default = self._default(calendar, now)
        # The zone of times without one. None: that of our calendar.
        self.floating = None if self.default == str(local) else self.default

    def iana(self, tzid: str, near: datetime, line: int) -> str | None:
        """Return the IANA zone that `tzid` is, by its first use, on `line`. None: nobody knows."""
        self._lines.setdefault(tzid, line)
        if tzid not in self._known:
            self._known[tzid] = self._find(tzid, near)
        return self._known[tzid]

    def _define(self, component: Component) -> None:
        tzid = clean(component.text("TZID"))
        self._lines[tzid] = component.line
        self._aliases[tzid] = component.text("TZID-ALIAS-OF") or component.text("X-LIC-LOCATION")
        try:
            clock = tzical(StringIO("\n".join(_clock_lines(component)))).get()
        except _UNREADABLE:
            clock = None
        if clock is not None and not component.is_open:
            self._clocks[tzid] = clock

    def _default(self, calendar: Component, now: datetime) -> str | None:
        tzid = clean(calendar.text("X-WR-TIMEZONE"))
        if not tzid:
            return None
        name = self.iana(tzid, now, calendar.all("X-WR-TIMEZONE")[0].line)
        if name is None:
            self._note(tzid, f"X-WR-TIMEZONE {tzid!r} is no time zone and does not count")
        return name

    def _find(self, tzid: str, near: datetime) -> str | None:
        """Return the zone by these rules; what is guessed gets a note.

        1. An IANA name of a place counts, whatever its VTIMEZONE says.
        2. Another name of a zone (IANA, CLDR's main zone of a Windows name) counts if its VTIMEZONE
           does not say something else.
        3. Else the VTIMEZONE counts: it is a zone with the same clock.
        4. Else the name counts, or what it seems to mean.
        """
        clock = self._clocks.get(tzid)
        alias = self._aliases.get(tzid)
        name = tzids.by_name(tzid) or (tzids.by_name(alias) if alias else None)
        if clock is None and tzid in self._aliases:
            self._note(tzid, f"the VTIMEZONE {tzid!r} cannot be read and does not count")
        if name and "/" in name:
            if clock is not None and not tzids.agree(name, clock, near):
                self._note(
                    tzid, f"the VTIMEZONE {tzid!r} differs from the time zone {name}, which counts"
                )
            return name
        name = name or tzids.by_windows_name(tzid)
        if name and (clock is None or tzids.agree(name, clock, near)):
            return name
        if clock is not None:
            alike = tzids.by_clock(clock, near, name or str(self.local))
            if alike is not None:
                self._note(tzid, f"TZID {tzid!r} is read as {alike}, which has the same clock")
                return alike
        if name is None:
            name = tzids.by_meaning(tzid)
        if name is not None:
            self._note(tzid, f"TZID {tzid!r} is read as {name}; correct it if that is wrong")
        return name

    def _note(self, tzid: str, text: str) -> None:
        self.notes.append(Note(self._lines[tzid], text))


def clean(tzid: str) -> str:
    """Return a TZID without quotes and without the backslashes that a text has."""
    return tzid.replace("\\", "").strip(' "')


def _clock_lines(component: Component) -> Iterator[str]:
    """Yield the lines of a VTIMEZONE that define its clock, without parameters."""
    yield "BEGIN:VTIMEZONE"
    yield "TZID:x"
    for observance in component.components:
        yield f"BEGIN:{observance.name}"
        for item in observance.properties:
            if item.name in _OBSERVANCE:
                yield f"{item.name}:{item.value.strip()}"
        yield f"END:{observance.name}"
    yield "END:VTIMEZONE"
