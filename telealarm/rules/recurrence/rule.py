"""A recurrence rule as data, and what RFC 5545 3.3.10 forbids in a rule."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

# Far more than anybody needs, and too little for dates to overflow.
MOST = 1_000_000


class Frequency(StrEnum):
    """The FREQ values of RFC 5545 that rules may have."""

    YEARLY = "YEARLY"
    MONTHLY = "MONTHLY"
    WEEKLY = "WEEKLY"
    DAILY = "DAILY"
    HOURLY = "HOURLY"
    MINUTELY = "MINUTELY"


F = Frequency


class Weekday(NamedTuple):
    """`day` 0 is Monday. `nth` 0 means every one, 1 the first of its month or year, -1 the last."""

    day: int
    nth: int = 0


# For each part: the lowest and highest number, and whether it may count from the end.
_RANGES = {
    "bysecond": (0, 59, False),
    "byminute": (0, 59, False),
    "byhour": (0, 23, False),
    "bymonthday": (1, 31, True),
    "byyearday": (1, 366, True),
    "byweekno": (1, 53, True),
    "bymonth": (1, 12, False),
    "bysetpos": (1, 366, True),
    "byeaster": (0, 366, True),
}


@dataclass(frozen=True)
class Recurrence:
    """An RRULE. Raises ValueError, with a correct example, for what the RFC forbids.

    A missing BY part is empty; values are in ascending order. `until` is inclusive; a naive
    `until` is on the wall clock of the series. `byeaster` is in days from Easter Sunday (Western):
    dateutil and Newfies-Dialer have it, the RFC does not. `wkst` 0 is Monday.
    """

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: datetime | None = None
    wkst: int = 0
    bysecond: tuple[int, ...] = ()
    byminute: tuple[int, ...] = ()
    byhour: tuple[int, ...] = ()
    byday: tuple[Weekday, ...] = ()
    bymonthday: tuple[int, ...] = ()
    byyearday: tuple[int, ...] = ()
    byweekno: tuple[int, ...] = ()
    bymonth: tuple[int, ...] = ()
    bysetpos: tuple[int, ...] = ()
    byeaster: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.interval <= MOST:
            raise ValueError(f"INTERVAL must be a whole number from 1 to {MOST}")
        if self.count is not None and not 1 <= self.count <= MOST:
            raise ValueError(f"COUNT must be a whole number from 1 to {MOST}")
        if self.count is not None and self.until is not None:
            raise ValueError("COUNT and UNTIL exclude each other; give one of them")
        if not 0 <= self.wkst <= 6:
            raise ValueError(f"WKST must be one of {', '.join(WEEKDAYS)}")
        for name, (low, high, signed) in _RANGES.items():
            _check_range(name.upper(), getattr(self, name), low, high, signed)
        if any(not 0 <= day <= 6 or abs(nth) > 53 for day, nth in self.byday):
            raise ValueError("BYDAY takes weekdays like MO, or 1MO to 53MO and -1MO to -53MO")
        self._check_combinations()

    def has_by_parts(self) -> bool:
        """Return whether the rule has any BY part."""
        return any(getattr(self, field.name) for field in fields(self) if field.name[:2] == "by")

    def is_elapsed(self) -> bool:
        """Return whether the rule steps in elapsed time and not from day to day on the calendar."""
        return self.frequency in (F.HOURLY, F.MINUTELY)

    def _check_combinations(self) -> None:
        frequency = self.frequency
        if self.byweekno and frequency is not F.YEARLY:
            raise ValueError("BYWEEKNO goes with FREQ=YEARLY only")
        if self.byyearday and frequency in (F.DAILY, F.WEEKLY, F.MONTHLY):
            raise ValueError("BYYEARDAY goes with FREQ=YEARLY, HOURLY or MINUTELY only")
        if self.bymonthday and frequency is F.WEEKLY:
            raise ValueError("BYMONTHDAY does not go with FREQ=WEEKLY; use MONTHLY or DAILY")
        if any(nth for _, nth in self.byday):
            if frequency not in (F.MONTHLY, F.YEARLY):
                raise ValueError("BYDAY with a number (1MO) goes with FREQ=MONTHLY or YEARLY only")
            if self.byweekno:
                raise ValueError("BYDAY with a number (1MO) does not go with BYWEEKNO; use MO")
        if self.bysetpos and not any(
            getattr(self, name) for name in (*_RANGES, "byday") if name != "bysetpos"
        ):
            raise ValueError("BYSETPOS needs another BY part to choose from, such as BYDAY")


def _check_range(name: str, values: Sequence[int], low: int, high: int, signed: bool) -> None:
    if all(low <= (abs(value) if signed else value) <= high for value in values):
        return
    also = f" or -{high} to -{max(low, 1)}" if signed else ""
    raise ValueError(f"{name} takes whole numbers from {low} to {high}{also}")
