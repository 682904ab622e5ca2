"""The load of a plan: how many calls each trunk would get in each hour."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from telealarm.store.dry_run.dry_run import Planned


@dataclass(frozen=True)
class Load:
    """The calls of one gateway in one hour. `hour` is the start of the hour, in UTC."""

    hour: datetime
    gateway: str
    calls: int


def per_hour(attempts: Iterable[Planned]) -> list[Load]:
    """Return the load by hour and trunk. A deferred call counts in the hour of its new time."""
    counted: Counter[tuple[datetime, str]] = Counter()
    for planned in attempts:
        leaves = planned.leaves
        if leaves is not None and planned.gateway is not None:
            hour = leaves.replace(minute=0, second=0, microsecond=0)
            counted[hour, planned.gateway] += 1
    return [Load(hour, gateway, calls) for (hour, gateway), calls in sorted(counted.items())]
