"""Dates as people and programs write them, and their wall clocks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from telealarm.words import ClockChange

# Birthdays are older than computers; some programs write those without a year as of 1604.
EARLIEST = datetime(1600, 1, 2, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
OUT_OF_RANGE = f"the year must lie between {EARLIEST.year} and {LATEST.year - 1}"


def to_utc(value: datetime, zone: ZoneInfo) -> datetime:
    """Return `value` in UTC. A naive value is on the wall clock of `zone`.

    A wall time in a gap moves forward by the gap (02:30 becomes 03:30). Of a wall time that comes
    twice, the first is meant (PEP 495, fold 0). Raises ValueError outside the years 1600 to 2199.
    """
    aware = value if value.tzinfo else value.replace(tzinfo=zone, fold=0)
    try:
        moment = aware.astimezone(UTC)
    except OverflowError:
        moment = LATEST
    if not EARLIEST <= moment < LATEST:
        raise ValueError(OUT_OF_RANGE)
    return moment


def wall_clock(moment: datetime, zone: ZoneInfo, wanted: str | None = None) -> datetime:
    """Return the naive wall time of `moment`: the `wanted` one, if the clock of `zone` skips it."""
    if wanted is not None:
        said = datetime.fromisoformat(wanted)
        if to_utc(said, zone) == moment:
            return said
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def at_distance(
    start: datetime, wall: datetime, distance: timedelta, zone: ZoneInfo, fold: int = 0
) -> datetime:
    """Return the moment (UTC) at `distance` from `start` on the wall clock of `zone`.

    `wall` is the wall time of `start`. A time in a gap moves forward by the gap. Of a time that
    comes twice, `fold` decides. What is before (or after) `start` on the wall clock stays so: if a
    change of the clock would turn it over, the distance is elapsed time.
    """
    if not distance:
        return start
    naive = (wall + distance).replace(fold=0)
    moment = naive.replace(tzinfo=zone).astimezone(UTC)
    second = naive.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if fold and second > moment:
        moment = second
    if (moment < start) != (distance < timedelta()):
        return start + distance
    return moment


def clock_change(
    moment: datetime, zone: ZoneInfo, wanted: datetime | None = None
) -> ClockChange | None:
    """Return how a change of the clock of `zone` affects the wall time of `moment`, if it does.

    `wanted` is the naive wall time that was asked for, if it may differ from that of `moment`.
    """
    local = moment.astimezone(zone)
    if wanted is not None and wanted != local.replace(tzinfo=None, fold=0):
        return ClockChange.GAP
    if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
        return ClockChange.TWICE
    return None


def is_after_gap(moment: datetime, zone: ZoneInfo) -> bool:
    """Return whether `moment` may stand for a wall time in a gap: it lies just after the gap."""
    now = moment.astimezone(zone).utcoffset()
    before = (moment - timedelta(hours=3)).astimezone(zone).utcoffset()
    if now is None or before is None or now <= before:
        return False
    return (moment - (now - before)).astimezone(zone).utcoffset() == before


def add_month(value: datetime) -> datetime:
    """Return the same day of the next month, or its last day if the month is shorter."""
    year, month = (value.year, value.month + 1) if value.month < 12 else (value.year + 1, 1)
    first_after = datetime(year + month // 12, month % 12 + 1, 1)
    last_day = (first_after - timedelta(days=1)).day
    return value.replace(year=year, month=month, day=min(value.day, last_day))
