"""Finds the IANA time zone of a TZID in an iCalendar file."""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

_WEEKS = 104


def iana(tzid: str, zone: tzinfo | None, near: datetime) -> str | None:
    """Return the IANA zone of `tzid`, or None if there is none.

    The file or the library explains `tzid` as `zone`. The search has this order:

    1. the name itself, or its last parts, if they are an IANA name;
    2. the key of `zone`;
    3. a zone with the same offsets as `zone` in the two years from the year of `near`.
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
    # Names of places first: people recognise them.
    names = sorted(available_timezones(), key=lambda name: (not _is_place(name), name))
    for name in names:
        candidate = ZoneInfo(name)
        if all(w.astimezone(candidate).utcoffset() == o for w, o in zip(weeks, shown, strict=True)):
            return name
    return None


def _is_place(name: str) -> bool:
    return name.split("/")[0] in ("Europe", "America", "Asia", "Africa", "Australia", "Pacific")
