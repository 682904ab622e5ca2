"""The load of a plan: how many calls each trunk would get in each hour."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from telealarm.store.dry_run.dry_run import Planned


@dataclass(frozen=True)
class Load:
    """`hour` is the begin of an hour in UTC."""

    hour: datetime
    gateway: str
    calls: int


def per_hour(found: Iterable[Planned]) -> list[Load]:
    """By hour and trunk; a deferred call counts for the hour that it is put off to."""
    counted: Counter[tuple[datetime, str]] = Counter()
    for planned in found:
        leaves = planned.leaves
        if leaves is not None and planned.gateway is not None:
            hour = leaves.replace(minute=0, second=0, microsecond=0)
            counted[hour, planned.gateway] += 1
    return [Load(hour, gateway, calls) for (hour, gateway), calls in sorted(counted.items())]
