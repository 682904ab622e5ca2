"""One VEVENT of a file, with all its times in IANA zones."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import icalendar

from telealarm.importing import durations, valarm
from telealarm.importing.content_lines import Component, Property
from telealarm.importing.valarm import Trigger
from telealarm.importing.zones import Zones, clean

# Other properties are not read. So a fault in one of them does not matter.
_TEXTS = ("SUMMARY", "DESCRIPTION", "LOCATION")
_TIMES = ("DTSTART", "DTEND", "RECURRENCE-ID", "RDATE", "EXDATE")
_ONCE = ("DTSTART", "DTEND", "DURATION", "RECURRENCE-ID")
_READ = (*_TIMES, *_TEXTS, "RRULE", "EXRULE")
# Some programs write them without a value. That says nothing.
_MAY_BE_EMPTY = ("DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID")
_IN_UTC = re.compile(r"[0-9]{8}T[0-9]{6}Z", re.ASCII)
# They differ between two exports of the same event.
_STAMPS = ("DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE")
# It tells which event of the file an occurrence came from.
SOURCE = "X-TELEALARM-SOURCE"
# What every rule means that does not name another (RFC 7529).
_USUAL_SCALE = re.compile(r"(RSCALE=GREGORIAN|SKIP=OMIT)(;|$)", re.IGNORECASE)


class Wrong(Exception):
    """This event cannot be imported. The message says what to change."""


@dataclass
class Item:
    """An event of the file. `event` has the properties that are read; `notes` are of its lines."""

    line: int
    source: Component
    event: icalendar.Component
    start: date | None
    triggers: list[Trigger] = field(default_factory=list)
    notes: list[tuple[int, str]] = field(default_factory=list)
    # What is wrong, though the event is imported.
    faults: list[str] = field(default_factory=list)
    # It has more than one occurrence.
    recurs: bool = False

    def note(self, text: str) -> None:
        """Note what is changed, left out or guessed. The same is noted once."""
        if (self.line, text) not in self.notes:
            self.notes.append((self.line, text))

    def text(self, name: str) -> str:
        return self.source.text(name)

    @property
    def is_exception(self) -> bool:
        return bool(self.text("RECURRENCE-ID"))

    @property
    def sequence(self) -> int | None:
        number = self.text("SEQUENCE")
        return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None

    @property
    def content(self) -> str:
        """A digest of what the file says about the event. Its stamps do not count."""
        digest = hashlib.sha256()
        for line in sorted(_content(self.source)):
            digest.update(line.encode())
        return digest.hexdigest()

    def moment(self, name: str) -> date | None:
        """Return the date or time of a property. None: it is missing, or has another type."""
        value = getattr(self.event.get(name), "dt", None) if name in self.event else None
        return value if isinstance(value, date) else None

    def moments(self, name: str) -> list[date]:
        """Return the dates and times of all properties of this name."""
        lists = self.event.get(name, [])
        lists = lists if isinstance(lists, list) else [lists]
        return [moment.dt for dates in lists for moment in dates.dts if isinstance(moment.dt, date)]

    @property
    def is_whole_day(self) -> bool:
        """Whether it is of days. Outlook's may start and end at midnight instead."""
        if not isinstance(self.start, datetime):
            return True
        flag = self.text("X-MICROSOFT-CDO-ALLDAYEVENT").upper() == "TRUE"
        return flag and self.start.time() == time()


def read(component: Component, zones: Zones, *, alarms: bool) -> Item:
    """Return the event. Raises Wrong."""
    if component.is_open:
        raise Wrong("its END is missing, or that of a part of it; export the file again")
    notes = list(component.faults)
    _check_once(component)
    clock, start = _clock(component, zones)
    lines = ["BEGIN:VEVENT"]
    seen = set()
    for item in component.properties:
        if item.name in _MAY_BE_EMPTY and not item.value.strip():
            continue
        if item.name in _ONCE and item.name in seen:
            continue
        seen.add(item.name)
        if item.name in _TIMES:
            lines.append(_zoned(item, clock, zones, start, notes))
        elif item.name in _READ:
            lines.append(_as_written(item))
    event = icalendar.Event.from_ical("\r\n".join([*lines, "END:VEVENT", ""]))
    for name, error in event.errors:
        raise Wrong(_fault(component, str(name), error))
    _check_duration(component)
    _check_rule(component)
    made = Item(component.line, component, event, None, notes=notes)
    made.start = made.moment("DTSTART")
    made.recurs = not made.is_exception and any(n in event for n in ("RRULE", "RDATE"))
    for alarm in component.components if alarms else []:
        if alarm.name == "VALARM":
            _add_alarm(made, alarm)
    return made


def _add_alarm(item: Item, alarm: Component) -> None:
    try:
        item.triggers += valarm.triggers(alarm, item.notes)
    except ValueError as error:
        if not item.is_exception:
            raise Wrong(f"{error}; correct it or delete the VALARM") from None
        # Without it, the occurrence would ring at its old time.
        item.faults.append(f"{error}; until it is correct, this occurrence rings as its series")


def _check_once(component: Component) -> None:
    for name in _ONCE:
        values = {(item.value, str(item.params)) for item in component.all(name)}
        if len(values) > 1:
            raise Wrong(f"{name}: is there twice; keep one")


def _check_duration(component: Component) -> None:
    for item in component.all("DURATION"):
        try:
            if item.value.strip():
                durations.parse(item.value)
        except ValueError as error:
            raise Wrong(f"DURATION: {error} (line {item.line})") from None


def _check_rule(component: Component) -> None:
    """Refuse a rule with a part that the library would leave out."""
    for item in (*component.all("RRULE"), *component.all("EXRULE")):
        parts = item.value.strip().strip(";").split(";")
        if parts != [""] and not all(re.fullmatch(r"[^=]+=[^=]+", part) for part in parts):
            raise Wrong(_fault(component, item.name, "a part of it has no name or no value"))


def _fault(component: Component, name: str, error: str) -> str:
    for item in component.all(name):
        written = f"{name}: {item.value!r} (line {item.line})"
        if name in _TIMES:
            return f"{written} is no date or time; write it like 20270104T100000"
        return f"{written} cannot be read: {error}; correct it"
    return f"{name}: {error}; correct it"


def _clock(component: Component, zones: Zones) -> tuple[str | None, str]:
    """Return the zone in which times without one are, and the text of the start."""
    for item in component.all("DTSTART"):
        tzid, value = _tzid(item), item.value.strip()
        if value.upper().endswith("Z"):
            return "UTC", value
        if tzid and "T" in value.upper():
            return _iana(item, zones), value
        return zones.floating, value
    return zones.floating, ""


def _zoned(
    item: Property, clock: str | None, zones: Zones, start: str, notes: list[tuple[int, str]]
) -> str:
    """Return a property of times with an IANA zone, and without a VALUE: the times show it."""
    values = item.value.strip().upper()
    params, tzid = "", _tzid(item)
    if item.name == "RDATE" and "Z" in values:
        # The library takes a period in UTC as local. So all dates are on the clock of the start.
        values = _on_clock(values, ZoneInfo(clock) if clock else zones.local)
    has_time, in_utc = "T" in values, values.endswith("Z")
    if has_time and in_utc and tzid and item.name == "DTSTART":
        notes.append((item.line, f"{values} has a TZID and a Z; it is read as UTC"))
    if has_time and not in_utc:
        zone = _iana(item, zones) if tzid else clock
        if zone is not None and ("T" in start.upper() or item.name == "DTSTART"):
            params = f";TZID={zone}"
    if item.params.get("RANGE"):
        params += f";RANGE={item.params['RANGE']}"
    return f"{item.name}{params}:{values}"


def _on_clock(values: str, zone: ZoneInfo) -> str:
    """Return dates, times and periods with those in UTC on the clock of `zone`."""
    return _IN_UTC.sub(lambda match: _local(match[0], zone), values)


def _local(text: str, zone: ZoneInfo) -> str:
    try:
        moment = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return text
    return f"{moment.astimezone(zone):%Y%m%dT%H%M%S}"


def _iana(item: Property, zones: Zones) -> str:
    tzid, year = _tzid(item), item.value.strip()[:4]
    known = year.isascii() and year.isdigit() and 1970 <= int(year) < 2200
    name = zones.iana(tzid, datetime(int(year) if known else 2030, 1, 1), item.line)
    if name is None:
        raise Wrong(f"TZID: {tzid!r} is no IANA time zone; write one like Europe/Madrid")
    return name


def _tzid(item: Property) -> str:
    tzid = item.params.get("TZID", "")
    return clean(",".join(tzid) if isinstance(tzid, list) else str(tzid))


def _as_written(item: Property) -> str:
    value = _USUAL_SCALE.sub("", item.value) if item.name == "RRULE" else item.value
    return f"{item.name}:{value}"


def _content(component: Component) -> Iterator[str]:
    for item in component.properties:
        if item.name not in _STAMPS:
            yield f"{item.name};{sorted(item.params.items())!s}:{item.value}"
    for part in component.components:
        for line in _content(part):
            yield f"{part.name} {line}"
