"""Whose clock an iCalendar time was read from: the IANA name behind a TZID."""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

_WEEKS = 104


def iana(tzid: str, zone: tzinfo | None, near: datetime) -> str | None:
    """The IANA zone of `tzid`, which the file or the library explains as `zone`.

    Its own name, or the one that its last parts are; else the zone whose clocks show the same
    through the two years from `near` on. None where there is none.
    """
    parts = tzid.strip("/").split("/")
    for name in ("/".join(parts[-n:]) for n in range(min(3, len(parts)), 0, -1)):
        if name in available_timezones():
            return name
    key = getattr(zone, "key", None)
    if key is not None:
        return str(key)
    return None if zone is None else _alike(zone, near.year)


@cache
def _alike(zone: tzinfo, year: int) -> str | None:
    weeks = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(weeks=n) for n in range(_WEEKS)]
    shown = [week.astimezone(zone).utcoffset() for week in weeks]
    # Names of places first: they are what people recognise.
    names = sorted(available_timezones(), key=lambda name: (not _is_place(name), name))
    for name in names:
        candidate = ZoneInfo(name)
        if all(w.astimezone(candidate).utcoffset() == o for w, o in zip(weeks, shown, strict=True)):
            return name
    return None


def _is_place(name: str) -> bool:
    return name.split("/")[0] in ("Europe", "America", "Asia", "Africa", "Australia", "Pacific")
