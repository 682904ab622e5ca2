"""The times of a day that a rule names, in seconds from midnight, without a list of all of them."""

from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from typing import Protocol

from telealarm.rules.recurrence import bits


class Times(Protocol):
    """Times of a day in order."""

    @property
    def size(self) -> int:
        """How many there are."""

    @property
    def seconds(self) -> int:
        """The set of them: bits of 86,400 seconds."""

    def at(self, place: int) -> int:
        """Return the time at a place from 0."""

    def up_to(self, second: int) -> int:
        """Return how many there are up to `second`, that one included."""

    def following(self, second: int) -> Iterator[int]:
        """Yield those from `second` on, that one included."""


class Clock:
    """Each of some hours with each of some minutes and seconds (BYHOUR, BYMINUTE, BYSECOND)."""

    def __init__(
        self, hours: tuple[int, ...], minutes: tuple[int, ...], seconds: tuple[int, ...]
    ) -> None:
        self._hours, self._minutes, self._seconds = hours, minutes, seconds
        self._of_an_hour = len(minutes) * len(seconds)
        self.size = len(hours) * self._of_an_hour

    @cached_property
    def seconds(self) -> int:
        hours = bits.of(tuple(3600 * hour for hour in self._hours))
        minutes = bits.of(tuple(60 * minute for minute in self._minutes))
        return hours * minutes * bits.of(self._seconds)

    def at(self, place: int) -> int:
        rest, second = divmod(place, len(self._seconds))
        hour, minute = divmod(rest, len(self._minutes))
        return 3600 * self._hours[hour] + 60 * self._minutes[minute] + self._seconds[second]

    def up_to(self, second: int) -> int:
        wanted, rest = divmod(second, 3600)
        hour = bisect_right(self._hours, wanted)
        if not hour or self._hours[hour - 1] < wanted:
            return hour * self._of_an_hour
        wanted, rest = divmod(rest, 60)
        minute = bisect_right(self._minutes, wanted)
        before = (hour - 1) * self._of_an_hour
        if not minute or self._minutes[minute - 1] < wanted:
            return before + minute * len(self._seconds)
        return before + (minute - 1) * len(self._seconds) + bisect_right(self._seconds, rest)

    def following(self, second: int) -> Iterator[int]:
        for place in range(self.up_to(second - 1) if second > 0 else 0, self.size):
            yield self.at(place)


class Picked:
    """Some times of a day, as BYSETPOS picks them."""

    def __init__(self, times: tuple[int, ...]) -> None:
        self._times = times
        self.size = len(times)

    @cached_property
    def seconds(self) -> int:
        return bits.of(self._times)

    def at(self, place: int) -> int:
        return self._times[place]

    def up_to(self, second: int) -> int:
        return bisect_right(self._times, second)

    def following(self, second: int) -> Iterator[int]:
        yield from self._times[self.up_to(second - 1) :]
