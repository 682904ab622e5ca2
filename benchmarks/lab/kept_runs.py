"""What a run of benchmarks.table found: kept as JSON, shown as Markdown, written into the docs."""

import json
import os
import platform
import sqlite3
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.lab.goals import ROWS, Row, shown
from benchmarks.lab.meters import load

BEGIN, END = "<!-- benchmarks.table: begin -->", "<!-- benchmarks.table: end -->"


@dataclass
class KeptRun:
    """One run. `loads` are the machine's load before each part, `failures` what a part raised."""

    machine: str
    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    figures: dict[str, float] = field(default_factory=dict)
    peers: dict[str, str] = field(default_factory=dict)
    loads: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def day(self) -> str:
        return self.started[:10]


def machine() -> str:
    """Return what the figures were measured on, in one line."""
    info = Path("/proc/cpuinfo").read_text()
    names = [line.partition(": ")[2] for line in info.splitlines() if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = names[0] if names else platform.machine()
    parts = [f"{len(os.sched_getaffinity(0))} cores ({model})", f"{memory:.0f} GiB"]
    parts += [f"Python {platform.python_version()}", f"SQLite {sqlite3.sqlite_version}"]
    for argv in (["asterisk", "-V"], ["psql", "--version"]):
        try:
            text = subprocess.check_output(argv, text=True, stderr=subprocess.DEVNULL)
        except (OSError, subprocess.CalledProcessError):
            continue
        parts.append(" ".join(text.replace("psql (PostgreSQL)", "PostgreSQL").split()[:2]))
    return ", ".join(parts)


def write(run: KeptRun, path: Path) -> None:
    path.write_text(json.dumps(asdict(run), indent=2) + "\n")


def read(path: Path) -> KeptRun:
    return KeptRun(**json.loads(path.read_text()))


def note_load(run: KeptRun, part: str) -> None:
    run.loads[part] = load()


def table(run: KeptRun) -> str:
    """Return one run as Markdown."""
    rows = [row for row in ROWS if row.figure in run.figures or row.part in run.failures]
    lines = [f"Measured on {run.day}: {run.machine}.", ""]
    lines += ["| figure | measured | goal | reached | peer, and load before |"]
    lines += ["|---|---|---|---|---|"]
    for row in rows:
        measured = shown(run.figures[row.figure]) if row.figure in run.figures else "failed"
        beside = f"{run.peers.get(row.figure, '-')}; load {run.loads.get(row.part, '-')}"
        verdict = row.verdict(run.figures)
        lines.append(f"| {row.figure} | {measured} | {row.goal} | {verdict} | {beside} |")
    lines += [f"\n{part} failed: {text}" for part, text in run.failures.items()]
    return "\n".join(lines) + "\n"


def spread(runs: Sequence[KeptRun]) -> str:
    """Return several runs as Markdown: of each figure the median, the lowest and the highest."""
    days = sorted({run.day for run in runs})
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    machines = " / ".join(sorted({run.machine for run in runs}))
    lines = [f"Measured on {when}: {machines}.", ""]
    lines += ["| figure | runs | median | lowest to highest | goal | reached |"]
    lines += ["|---|---|---|---|---|---|"]
    lines += [_spread_of(row, runs) for row in ROWS if any(row.figure in r.figures for r in runs)]
    return "\n".join(lines) + "\n"


def _spread_of(row: Row, runs: Sequence[KeptRun]) -> str:
    having = [run for run in runs if row.figure in run.figures]
    values = [run.figures[row.figure] for run in having]
    reached = sum(row.verdict(run.figures) == "yes" for run in having)
    return (
        f"| {row.figure} | {len(values)} | {shown(statistics.median(values))}"
        f" | {shown(min(values))} to {shown(max(values))} | {row.goal}"
        f" | {reached} of {len(values)} |"
    )


def write_docs(runs: Sequence[KeptRun], page: Path) -> None:
    """Replace what stands between the two marks of the page. ValueError if it has none."""
    text = page.read_text()
    if BEGIN not in text or END not in text:
        raise ValueError(f"{page} has no lines {BEGIN} and {END}.")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    page.write_text(f"{before}{BEGIN}\n{spread(runs)}{END}{after}")
