"""Dates as people and programs write them, and the wall clock they are meant on."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from telealarm.words import ClockChange

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


def clock_change(
    moment: datetime, zone: ZoneInfo, said: datetime | None = None
) -> ClockChange | None:
    """Whether a change of the clock of `zone` touches the wall time of `moment`.

    `said` is the naive wall time that was asked for, where that may be another.
    """
    local = moment.astimezone(zone)
    if said is not None and said != local.replace(tzinfo=None, fold=0):
        return ClockChange.GAP
    if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
        return ClockChange.TWICE
    return None


def is_after_gap(moment: datetime, zone: ZoneInfo) -> bool:
    """Whether a wall time in a gap of the clock may be meant by `moment`: it lies just behind."""
    now = moment.astimezone(zone).utcoffset()
    before = (moment - timedelta(hours=3)).astimezone(zone).utcoffset()
    if now is None or before is None or now <= before:
        return False
    return (moment - (now - before)).astimezone(zone).utcoffset() == before


def add_month(value: datetime) -> datetime:
    """The same day of the next month, or its last day where it has no such day."""
    year, month = (value.year, value.month + 1) if value.month < 12 else (value.year + 1, 1)
    first_after = datetime(year + month // 12, month % 12 + 1, 1)
    last_day = (first_after - timedelta(days=1)).day
    return value.replace(year=year, month=month, day=min(value.day, last_day))
