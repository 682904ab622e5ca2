"""When the clock of a zone changes, in whole seconds, found once for each year."""

from calendar import isleap
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

# Seconds are counted from the midnight before ordinal 0. So `// DAY` is the ordinal of a day.
DAY = 86_400
ORIGIN = datetime(1, 1, 1, tzinfo=UTC)
_FIRST_DAY = 1
# The least distance of two changes of one zone: 3.98 days in 1939 (Freetown), 6.9 days from 1920 to
# 2100, 20 days before and after. Before 1830 every place had its own time all year.
_LOOKS = ((range(1935, 1950), 3 * DAY), (range(1920, 2101), 6 * DAY))
_LOOK_SELDOM = 18 * DAY
# From here on each zone follows one rule for ever. So equal years have equal changes.
_FOR_EVER = 2101
_FIRST_CHANGE = 1830
HOUR = 3600
SECOND = timedelta(seconds=1)


class Change(NamedTuple):
    """A change of the clock at `moment`, from one offset to another (all in seconds)."""

    moment: int
    before: int
    after: int


def seconds(moment: datetime) -> int:
    """Return the whole seconds of an aware UTC datetime, or of a wall time marked as UTC."""
    since = moment - ORIGIN
    return (since.days + _FIRST_DAY) * DAY + since.seconds


def utc(moment: int) -> datetime:
    """Return the datetime in UTC."""
    return ORIGIN + timedelta(_FIRST_DAY * -1, moment)


def offset_at(zone: ZoneInfo, moment: int) -> int:
    """Return the offset of the zone from UTC at `moment`."""
    offset = utc(moment).astimezone(zone).utcoffset()
    assert offset is not None
    return offset // SECOND


@lru_cache(maxsize=8192)
def changes(zone: ZoneInfo, year: int) -> tuple[Change, ...]:
    """Return the changes of a year of UTC, in order."""
    if year < _FIRST_CHANGE:
        return ()
    if year >= _FOR_EVER + 28:
        like = _year_like(year)
        later = year_begin(year) - year_begin(like)
        return tuple(
            Change(moment + later, before, after) for moment, before, after in changes(zone, like)
        )
    result = []
    low, end = year_begin(year), year_begin(year + 1)
    step = next((step for years, step in _LOOKS if year in years), _LOOK_SELDOM)
    before = offset_at(zone, low)
    while low < end:
        high = min(low + step, end)
        after = offset_at(zone, high)
        if after != before:
            moment = _first_with(zone, low, high, before)
            result.append(Change(moment, before, after))
        low, before = high, after
    return tuple(change for change in result if change.moment < end)


def _year_like(year: int) -> int:
    """Return the first year of `_FOR_EVER` that is as long and begins on the same weekday."""
    return next(
        like
        for like in range(_FOR_EVER, _FOR_EVER + 28)
        if (year_begin(year) - year_begin(like)) % (7 * DAY) == 0 and isleap(like) == isleap(year)
    )


def _first_with(zone: ZoneInfo, low: int, high: int, before: int) -> int:
    """Return the first moment after `low`, up to `high`, with another offset than `before`."""
    for unit in (HOUR, 1):
        while high - low > unit:
            middle = low + (high - low) // unit // 2 * unit
            if offset_at(zone, middle) == before:
                low = middle
            else:
                high = middle
        # Most clocks change at a whole hour of UTC.
        if offset_at(zone, high - 1) == before:
            break
    return high


@lru_cache(maxsize=1024)
def year_begin(year: int) -> int:
    """Return the first second of a year of UTC."""
    return date(year, 1, 1).toordinal() * DAY


def year_of(moment: int) -> int:
    """Return the year of UTC."""
    return date.fromordinal(moment // DAY).year


def near(zone: ZoneInfo, moment: int, distance: int) -> list[Change]:
    """Return the changes that are at most `distance` seconds from `moment`."""
    years = range(year_of(moment - distance), year_of(moment + distance) + 1)
    return [
        change
        for year in years
        for change in changes(zone, year)
        if abs(change.moment - moment) <= distance
    ]
