"""Dates as people and programs write them, and the wall clock they are meant on."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def to_utc(value: datetime, zone: ZoneInfo) -> datetime:
    """`value` in UTC; a naive one is on the wall clock of `zone`.

    A wall time in a gap moves forward by the gap (02:30 is 03:30), one that comes twice is the
    first (PEP 495, fold 0). Raises ValueError outside the years 1970 to 2199.
    """
    aware = value if value.tzinfo else value.replace(tzinfo=zone, fold=0)
    try:
        moment = aware.astimezone(UTC)
    except OverflowError:
        moment = LATEST
    if not EARLIEST <= moment < LATEST:
        raise ValueError("the year must lie between 1970 and 2199")
    return moment


def add_month(value: datetime) -> datetime:
    """The same day of the next month, or its last day where it has no such day."""
    year, month = (value.year, value.month + 1) if value.month < 12 else (value.year + 1, 1)
    first_after = datetime(year + month // 12, month % 12 + 1, 1)
    last_day = (first_after - timedelta(days=1)).day
    return value.replace(year=year, month=month, day=min(value.day, last_day))
