"""The time of a wake-up call, as it is keyed, and when that is next."""

from datetime import datetime, time, timedelta


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


def following(clock: time, now: datetime) -> datetime:
    """The next moment after `now`, naive and local both, at which the wall reads `clock`."""
    today = datetime.combine(now.date(), clock)
    return today if today > now else today + timedelta(days=1)
