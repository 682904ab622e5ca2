"""The time of a wake-up call, as it is keyed, and when that is next."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from telealarm.rules import dates
from telealarm.words import ClockChange


@dataclass(frozen=True)
class Booked:
    """A wake-up call: when it is next, on the clock of its calendar."""

    start: datetime
    daily: bool


def parse(keys: str, *, afternoon: bool | None = None) -> time | None:
    """`0730` and `730` are half past seven; None where it is no time.

    `afternoon` says which half of a clock of twelve hours is meant; None: a clock of 24.
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
    """When the wall of `zone` next reads `clock` after `now`, which is aware.

    Naive, as people mean it, also where the clock skips it; aware where it comes twice today and
    the second is meant.
    """
    wall = now.astimezone(zone).replace(tzinfo=None, fold=0)
    today = datetime.combine(wall.date(), clock)
    first, second = (today.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if today > wall and first > now:
        return today
    if second > now and dates.clock_change(second, zone) is ClockChange.TWICE:
        return second
    return today + timedelta(days=1)
