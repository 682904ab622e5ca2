"""The time of a wake-up call: how the caller keys it, and when it comes next."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from telealarm.rules import dates
from telealarm.words import ClockChange


@dataclass(frozen=True)
class Booked:
    """A wake-up call. `start` is the next one, on the clock of its calendar."""

    start: datetime
    daily: bool


def parse(keys: str, *, afternoon: bool | None = None) -> time | None:
    """Return the time that `0730` or `730` means; None if the keys are not a time.

    `afternoon` is the half of a twelve-hour clock. None: a 24-hour clock.
    """
    if not (3 <= len(keys) <= 4 and keys.isascii() and keys.isdigit()):
        return None
    hour, minute = int(keys[:-2]), int(keys[-2:])
    if afternoon is not None:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if afternoon else 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def following(clock: time, now: datetime, zone: ZoneInfo) -> datetime:
    """Return when the wall clock of `zone` next shows `clock` after `now` (aware).

    The result is naive, even if the clock skips it. It is aware only if `clock` comes twice today
    and the second is meant.
    """
    wall = now.astimezone(zone).replace(tzinfo=None, fold=0)
    today = datetime.combine(wall.date(), clock)
    first, second = (today.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if today > wall and first > now:
        return today
    if second > now and dates.clock_change(second, zone) is ClockChange.TWICE:
        return second
    return today + timedelta(days=1)
