"""The rows of benchmarks.table: which figure, its peer, its goal, and whether that is reached."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

Figures = Mapping[str, float]


@dataclass(frozen=True)
class AtMost:
    """The figure may not be higher."""

    limit: float

    def __str__(self) -> str:
        return f"at most {shown(self.limit)}"

    def is_reached(self, value: float) -> bool:
        return value <= self.limit


@dataclass(frozen=True)
class AtLeast:
    """The figure may not be lower."""

    limit: float

    def __str__(self) -> str:
        return f"at least {shown(self.limit)}"

    def is_reached(self, value: float) -> bool:
        return value >= self.limit


@dataclass(frozen=True)
class Row:
    """A figure of the table. `part` measures it under the name `figure`.

    `instead` is another row's figure that may be reached in place of this one.
    """

    part: str
    figure: str
    goal: AtMost | AtLeast
    instead: str = ""

    def verdict(self, figures: Figures) -> str:
        """Return `yes`, `no`, or `-` if it was not measured."""
        names = [name for name in (self.figure, self.instead) if name in figures]
        if self.figure not in figures:
            return "-"
        reached = any(BY_FIGURE[name].goal.is_reached(figures[name]) for name in names)
        return "yes" if reached else "no"


def shown(value: float) -> str:
    """Return the value in three digits, or all of those before the point."""
    if value == 0 or not math.isfinite(value):
        return f"{value:.0f}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


_ROAD = "Asterisk's CPU a call / a loop by the same dialplan"

ROWS = (
    Row("statements", "SQL statements a call, in a crowd of 100", AtMost(15)),
    Row("statements", "SQL statements a call, alone", AtMost(30)),
    Row("calls", "service CPU a call / `same`, SQLite", AtMost(2.0)),
    Row("calls-postgresql", "service CPU a call / `same`, PostgreSQL", AtMost(2.5)),
    Row("calls", "completed calls/s / `same`, SQLite", AtLeast(0.9)),
    Row("calls-postgresql", "completed calls/s / `same`, PostgreSQL", AtLeast(0.8)),
    Row("calls", "Asterisk's CPU a call / `bare`", AtMost(1.3), instead=_ROAD),
    Row("calls", _ROAD, AtMost(1.1), instead="Asterisk's CPU a call / `bare`"),
    Row("calls", "service CPU a call with 1 M old calls / none", AtMost(1.1)),
    Row("pace", "trunk cap used, 1,000 due at once at 50/s, %", AtLeast(98)),
    Row("pace", "calls over the cap in the fullest second", AtMost(0)),
    Row("neighbour", "lone neighbour in a blast of 10,000, late p99, s", AtMost(1)),
    Row("idle-lateness", "late while idle, p99, ms", AtMost(20)),
    Row("claims", "claims/s, 10,000 waiting, PostgreSQL / procrastinate", AtLeast(5)),
    Row("claim-cost", "a claim, 1 M waiting / 10,000, SQLite", AtMost(1.2)),
    Row("claim-cost", "a claim, 1 M waiting / 10,000, PostgreSQL", AtMost(1.2)),
    Row("rest", "event + alarm by REST / Django REST Framework", AtLeast(1.5)),
    Row("rest", "event + alarm by REST / FastAPI with SQLAlchemy", AtLeast(1.5)),
    Row("rest", "event + alarm by REST / bare aiohttp", AtLeast(0.4)),
    Row("import", "import of 3,000 events, CSV / by REST, per row", AtLeast(5)),
    Row("import", "import of 3,000 events, ICS / by REST, per row", AtLeast(5)),
    Row("lists", "first list page, 1 M / 1,000 rows", AtMost(1.2)),
    Row("lists", "the same, the first time with a filter", AtMost(1.2)),
    Row("recurrence", "next occurrence, slowest of 17 forms, dateutil / ours", AtLeast(5)),
    Row("recurrence", "hostile rule, CPU-ms", AtMost(50)),
    Row("start", "start to ready, s", AtMost(1.0)),
    Row("start", "`telealarm --help`, s", AtMost(0.2)),
    Row("start", "resident at start, MiB", AtMost(70)),
    Row("memory", "idle CPU, % of a core", AtMost(0.5)),
    Row("memory", "memory a live call, kB", AtMost(20)),
    Row("memory", "resident with 1 M alarms waiting, MiB", AtMost(120)),
)
BY_FIGURE = {row.figure: row for row in ROWS}
