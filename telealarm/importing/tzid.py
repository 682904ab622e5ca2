"""Finds the IANA time zone of a TZID in an iCalendar file."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

_WEEK = timedelta(weeks=1)
_MINUTE = timedelta(minutes=1)
# How many weeks of two clocks are compared: two years, or one if no clock agrees so long.
_SPANS = (104, 52)
_PLACES = ("Europe", "America", "Asia", "Africa", "Australia", "Pacific")
_UTC = frozenset({"utc", "gmt", "z", "zulu", "coordinated universal time", "tzone://microsoft/utc"})
_OFFSET = re.compile(r"\(?(?:utc|gmt)?\s*([+-])(\d{1,2})[:.]?(00)?\)?", re.ASCII | re.IGNORECASE)


def by_name(tzid: str) -> str | None:
    """Return the IANA zone that `tzid` names: by itself, or behind the name of a program.

    `/freeassociation.sourceforge.net/Europe/Rome` is Europe/Rome.
    """
    parts = tzid.strip(' "/').split("/")
    for n in range(min(3, len(parts)), 0, -1):
        name = _iana_names().get("/".join(parts[-n:]).lower())
        if name:
            return name
    return "UTC" if tzid.strip().lower() in _UTC else None


def by_windows_name(tzid: str) -> str | None:
    """Return the main IANA zone of a Windows name, such as FLE Standard Time (Unicode CLDR)."""
    name = _windows_names().get(tzid.strip(' "').lower())
    return None if name is None else by_name(name)


def by_meaning(tzid: str) -> str | None:
    """Return a guess from a city in `tzid`, or from an offset such as UTC+02:00."""
    for word in re.findall(r"[^\W\d_]+(?: [^\W\d_]+)*", tzid):
        name = _cities().get(word.lower())
        if name:
            return name
    match = _OFFSET.fullmatch(tzid.strip())
    if match is None:
        return None
    # In POSIX, and so in these names, east of Greenwich is minus.
    sign = "-" if match[1] == "+" else "+"
    return by_name(f"Etc/GMT{sign}{int(match[2])}") if int(match[2]) else "UTC"


def by_clock(clock: tzinfo, near: datetime, preferred: str | None) -> str | None:
    """Return a zone whose clock shows the same as `clock` from the year of `near` on.

    If several do, it is `preferred`, or one on the same continent, or the first by its name.
    """
    for weeks in _SPANS:
        names = _alike(clock, near.year, weeks)
        if preferred in names:
            return preferred
        continent = f"{preferred}".split("/")[0]
        for name in names:
            if name.split("/")[0] == continent:
                return name
        if names:
            return names[0]
    return None


def agree(name: str, clock: tzinfo, near: datetime) -> bool:
    """Return whether the zone `name` shows what `clock` shows, from the year of `near` on."""
    year = near.year
    return any(_changes(ZoneInfo(name), year, n) == _changes(clock, year, n) for n in _SPANS)


@lru_cache(maxsize=64)
def _alike(clock: tzinfo, year: int, weeks: int) -> list[str]:
    wanted = _changes(clock, year, weeks)
    names = [
        name for name in _iana_names().values() if _changes(ZoneInfo(name), year, weeks) == wanted
    ]
    # Names of places first: people recognise them.
    return sorted(names, key=lambda name: (name.split("/")[0] not in _PLACES, name))


@lru_cache(maxsize=4096)
def _changes(clock: tzinfo, year: int, weeks: int) -> tuple[tuple[datetime, timedelta | None], ...]:
    """Return the offset of a clock at the start of `year`, and each change of it, to the minute."""
    return tuple(_walk(clock, datetime(year, 1, 1, tzinfo=UTC), weeks))


def _walk(
    clock: tzinfo, first: datetime, weeks: int
) -> Iterator[tuple[datetime, timedelta | None]]:
    offset = first.astimezone(clock).utcoffset()
    yield first, offset
    for number in range(1, weeks + 1):
        week = first + number * _WEEK
        if week.astimezone(clock).utcoffset() == offset:
            continue
        before, after = week - _WEEK, week
        while after - before > _MINUTE:
            middle = before + (after - before) // _MINUTE // 2 * _MINUTE
            if middle.astimezone(clock).utcoffset() == offset:
                before = middle
            else:
                after = middle
        offset = week.astimezone(clock).utcoffset()
        yield after, offset


@cache
def _iana_names() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones()}


@cache
def _windows_names() -> dict[str, str]:
    return {name.lower(): zone for name, zone in WINDOWS_TO_OLSON.items()}


@cache
def _cities() -> dict[str, str]:
    names = sorted(available_timezones())
    return {
        name.rsplit("/", 1)[1].replace("_", " ").lower(): name
        for name in names
        if name.split("/")[0] in _PLACES
    }
