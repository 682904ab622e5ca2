"""The public holidays of countries and their regions, by the package `holidays`.

It is imported when a calendar setting names a region for the first time: that takes a moment.
"""

from collections.abc import Container
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

RIGHT = (
    "must be countries or their regions with commas between, like DE-BY,AT: an ISO 3166 code of two"
    " letters, and after a hyphen the region"
)


@dataclass(frozen=True)
class Holidays(Container[date]):
    """The days that are listed, and the public holidays of the regions."""

    listed: frozenset[date]
    regions: tuple[str, ...] = ()

    def __contains__(self, day: object) -> bool:
        if not isinstance(day, date):
            return False
        return day in self.listed or any(day in _of(one, day.year) for one in self.regions)


def read(text: str) -> tuple[str, ...]:
    """Return the codes of the regions in a text, each as it is right. Raises ValueError."""
    return tuple(dict.fromkeys(_right(code.strip()) for code in text.split(",") if code.strip()))


def _right(code: str) -> str:
    import holidays

    country, _, region = code.upper().partition("-")
    known = holidays.list_supported_countries(include_aliases=False)
    if len(country) != 2 or country not in known:
        raise ValueError(f"{code!r} is not known; {RIGHT}")
    # Some are written out, and one country's are numbers: only what looks like a code is taken.
    regions = [name for name in known[country] if name.isascii() and name.isalnum()]
    regions = [name for name in regions if name.upper() == name]
    if not region and "-" not in code:
        return country
    if region not in regions:
        there = ", ".join(f"{country}-{name}" for name in regions) or "none"
        raise ValueError(f"{code!r} is not known; the regions of {country} are: {there}")
    return f"{country}-{region}"


@lru_cache(maxsize=1000)
def _of(code: str, year: int) -> frozenset[date]:
    import holidays

    country, _, region = code.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=region or None, years=year))
