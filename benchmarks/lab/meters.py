"""What processes cost: CPU time, memory, and the figures that commands print."""

import bisect
import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_ms(*pids: int, tree: bool = False) -> float:
    """Return user and system milliseconds of processes, and of their children that have ended.

    `tree` adds the children that run now.
    """
    total = 0.0
    for root in pids:
        for pid in [root, *(_children(root) if tree else [])]:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                fields = _stat_fields(Path(f"/proc/{pid}/stat"))
                total += sum(map(int, fields[11:15])) * 1000 / TICKS_PER_SECOND
    return total


def threads_ms(pid: int) -> dict[str, float]:
    """Return user and system milliseconds by thread name."""
    times: dict[str, float] = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            name = (task / "comm").read_text().strip()
            spent = sum(map(int, _stat_fields(task / "stat")[11:13])) * 1000 / TICKS_PER_SECOND
            times[name] = times.get(name, 0) + spent
    return times


def rss_kb(pid: int) -> int:
    """Return the resident memory in kB."""
    match = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert match, f"process {pid} has ended"
    return int(match[1])


def load() -> str:
    """Return the machine's load of the last minute."""
    return Path("/proc/loadavg").read_text().split()[0]


@dataclass(frozen=True)
class Rate:
    """How many ended, in how many seconds, per second over all and in the middle 80 %."""

    count: int
    seconds: float
    overall: float
    middle: float


def rate(start: float, ends: list[float]) -> Rate:
    """Return the rate of what started at `start` and ended at `ends` (seconds)."""
    if not ends:
        return Rate(0, 0.0, 0.0, 0.0)
    ends = sorted(ends)
    count = len(ends)
    low, high = count // 10, count * 9 // 10
    middle = (high - low) / max(ends[min(high, count - 1)] - ends[low], 1e-9)
    seconds = ends[-1] - start
    return Rate(count, seconds, count / seconds, middle)


def percentile(values: list[float], percent: int) -> float:
    """Return the value that `percent` % of the values do not exceed."""
    values = sorted(values)
    return values[min(len(values) - 1, len(values) * percent // 100)]


def percentiles(values: list[float], *percents: int) -> str:
    """Return such a line: `p50 3  p99 9  most 12 ms`."""
    if not values:
        return "none"
    parts = [f"p{percent} {percentile(values, percent):.0f}" for percent in percents]
    return f"{'  '.join(parts)}  most {max(values):.0f} ms"


def most_in_a_second(moments: list[float]) -> int:
    """Return how many of the sorted moments lie in the fullest window of one second."""
    return max(bisect.bisect_left(moments, at + 1.0) - n for n, at in enumerate(moments))


def _children(parent: int) -> Iterator[int]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if int(_stat_fields(stat)[1]) == parent:
                yield int(stat.parent.name)


def _stat_fields(stat: Path) -> list[str]:
    """The fields of proc(5) behind the name, which may hold spaces itself."""
    return stat.read_text().rpartition(")")[2].split()
