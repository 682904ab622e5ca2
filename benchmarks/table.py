"""The whole table: every figure that has a goal, beside its peer, in one run.

Usage: python -m benchmarks.table [--rows PART,PART] [--quick] [--json FILE] [--write-docs]
   or: python -m benchmarks.table --spread FILE... [--write-docs]

Runs the other commands one after the other, and prints a table in Markdown; what they print
themselves goes to stderr. Takes about 25 minutes; `--rows` runs some parts only, `--quick` runs in
tiny size, which shows that nothing crashes and measures nothing. `--json` keeps the run; `--spread`
reads such files, and prints how far the runs lie apart. `--write-docs` puts the spread of these
files, or of this run, into docs/benchmarks.md.
"""

import argparse
import asyncio
import contextlib
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks import (
    calls,
    claim,
    claim_peers,
    claim_rate,
    count_calls,
    due_to_invite,
    footprint,
    imports,
    lists,
    neighbour,
    pace,
    recurrence,
    rest_create,
)
from benchmarks.lab import kept_runs, peers
from benchmarks.lab.kept_runs import KeptRun
from benchmarks.lab.meters import percentile
from benchmarks.lab.sizes import Size, Tiny

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


class Report:
    """Takes the figures of a part, each with what its peer did."""

    def __init__(self, run: KeptRun) -> None:
        self._run = run

    def add(self, figure: str, value: float, peer: str = "") -> None:
        self._run.figures[figure] = value
        if peer:
            self._run.peers[figure] = peer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", default=",".join(PARTS), help="which parts of the table")
    parser.add_argument("--quick", action="store_true", help="in tiny size")
    parser.add_argument("--json", type=Path, help="a file that keeps the run")
    parser.add_argument("--spread", type=Path, nargs="+", help="files of earlier runs")
    parser.add_argument("--write-docs", action="store_true", help=f"fill the table in {PAGE.name}")
    peers.add_option(parser)
    given = parser.parse_args()
    if given.spread:
        runs = [kept_runs.read(path) for path in given.spread]
        print(kept_runs.spread(runs), end="")
    else:
        size = (Tiny if given.quick else Size)(given.peers_python)
        runs = [measure(given.rows.split(","), size)]
        print(kept_runs.table(runs[0]), end="")
        if given.json:
            kept_runs.write(runs[0], given.json)
    if given.write_docs:
        kept_runs.write_docs(runs, PAGE)
    if any(run.failures for run in runs):
        sys.exit(1)


def measure(parts: list[str], size: Size) -> KeptRun:
    """Run the parts one after the other. A part that fails does not end the others."""
    run = KeptRun(kept_runs.machine())
    for part in parts:
        print(f"== {part}", file=sys.stderr, flush=True)
        kept_runs.note_load(run, part)
        started = time.monotonic()
        try:
            with contextlib.redirect_stdout(sys.stderr):
                asyncio.run(PARTS[part](size, Report(run)))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - reported in the table
            run.failures[part] = f"{type(error).__name__}: {error}"
        print(f"== {part}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return run


async def count_statements(size: Size, report: Report) -> None:
    crowd = await count_calls.run(calls=min(100, size.crowd), database="sqlite")
    alone = await count_calls.run(calls=size.alone, database="sqlite", apart=3)
    report.add("SQL statements a call, in a crowd of 100", count_calls.statements(crowd))
    report.add("SQL statements a call, alone", count_calls.statements(alone))


async def call_sqlite(size: Size, report: Report) -> None:
    runs = await calls.run(
        calls=size.calls,
        rounds=size.rounds,
        peers="bare,same,dialplan",
        old=str(size.old_calls),
        database="sqlite",
    )
    add_calls(runs, report, "SQLite")
    asterisk = paired(runs, "telealarm", "bare", cpu_of("asterisk"))
    report.add("Asterisk's CPU a call / `bare`", *asterisk)
    road = paired(runs, "telealarm", "dialplan", cpu_of("asterisk"))
    report.add("Asterisk's CPU a call / a loop by the same dialplan", *road)
    old = paired(runs, f"{size.old_calls} old", "telealarm", cpu_of("service"))
    report.add("service CPU a call with 1 M old calls / none", *old)


async def call_postgresql(size: Size, report: Report) -> None:
    runs = await calls.run(
        calls=size.calls, rounds=size.rounds, peers="same", old="", database="postgresql"
    )
    add_calls(runs, report, "PostgreSQL")


def add_calls(runs: dict[str, list[calls.Run]], report: Report, database: str) -> None:
    used, beside = paired(runs, "telealarm", "same", cpu_of("service"))
    if database == "PostgreSQL":
        own = statistics.median(run.cpu["postgresql"] for run in runs["telealarm"])
        beside += f"; PostgreSQL itself {own:.2f}"
    report.add(f"service CPU a call / `same`, {database}", used, beside)
    rate = paired(runs, "telealarm", "same", lambda run: run.rate.overall)
    report.add(f"completed calls/s / `same`, {database}", *rate)


def cpu_of(process: str) -> Callable[[calls.Run], float]:
    """Return what reads the CPU milliseconds a call of this process from a run."""
    return lambda run: run.cpu[process]


def paired(
    runs: dict[str, list[calls.Run]], ours: str, peer: str, value: Callable[[calls.Run], float]
) -> tuple[float, str]:
    """Return the median of the ratios of the rounds, and both medians in words."""
    ratio, beside = ratios([value(run) for run in runs[ours]], [value(run) for run in runs[peer]])
    return ratio, f"{beside} ({peer})"


def ratios(ours: list[float], theirs: list[float]) -> tuple[float, str]:
    """Return the median of the ratios of each round, and both medians in words."""
    ratio = statistics.median(a / max(b, 1e-9) for a, b in zip(ours, theirs, strict=True))
    return ratio, f"{statistics.median(ours):.2f} beside {statistics.median(theirs):.2f}"


async def keep_pace(size: Size, report: Report) -> None:
    found = await pace.run(alarms=size.crowd, rounds=size.rounds, cap=size.cap, database="sqlite")
    ours, loop = found["telealarm"], found["plain loop"]
    report.add(
        "trunk cap used, 1,000 due at once at 50/s, %",
        100 * ours.share,
        f"{100 * loop.share:.1f} % (a loop that sleeps)",
    )
    report.add(
        "calls over the cap in the fullest second",
        max(0.0, ours.most - size.cap),
        f"{max(0.0, loop.most - size.cap):.0f} (a loop that sleeps)",
    )


async def spare_neighbour(size: Size, report: Report) -> None:
    late = await neighbour.run(
        blast=size.blast, cap=size.cap, seconds=size.blast_seconds, database="sqlite"
    )
    report.add("lone neighbour in a blast of 10,000, late p99, s", percentile(late, 99) / 1000)


async def leave_on_time(size: Size, report: Report) -> None:
    late = await due_to_invite.run(alarms=size.idle_alarms, database="sqlite")
    ours, loop = (percentile(late[name], 99) for name in ("telealarm", "plain loop"))
    report.add("late while idle, p99, ms", ours, f"{loop:.1f} ms (a loop that asks)")


async def claim_beside_peers(size: Size, report: Report) -> None:
    ours, theirs = [], []
    waiting = str(size.few)
    for _ in range(size.rounds):
        rates = await claim_rate.run(waiting=waiting, due=size.due, database="postgresql")
        ours.append(rates[f"{waiting} claim"])
        peer = await claim_peers.run(waiting=waiting, due=size.due, peers_python=size.peers_python)
        theirs.append(peer[f"procrastinate {waiting} waiting, 1 at a time"])
    report.add("claims/s, 10,000 waiting, PostgreSQL / procrastinate", *ratios(ours, theirs))


async def claim_among_many(size: Size, report: Report) -> None:
    for database in ("sqlite", "postgresql"):
        times = await claim.run(
            waiting=f"{size.few},{size.many}",
            calendars=100,
            rounds=size.rounds,
            claims=8,
            database=database,
        )
        many, few = (statistics.median(times[n].claim) for n in (size.many, size.few))
        name = "SQLite" if database == "sqlite" else "PostgreSQL"
        beside = f"{many:.2f} beside {few:.2f} ms"
        report.add(f"a claim, 1 M waiting / 10,000, {name}", many / few, beside)


async def create_by_rest(size: Size, report: Report) -> None:
    found = await rest_create.run(
        seconds=size.rest_seconds,
        rounds=size.rounds,
        clients=16,
        only="telealarm,aiohttp,fastapi,django",
        peers_python=size.peers_python,
        database="sqlite",
    )
    peer_names = {
        "django": "Django REST Framework",
        "fastapi": "FastAPI with SQLAlchemy",
        "aiohttp": "bare aiohttp",
    }
    for server, name in peer_names.items():
        ratio, beside = ratios(found["telealarm"], found[server])
        report.add(f"event + alarm by REST / {name}", ratio, f"{beside} pairs/s")


async def import_files(size: Size, report: Report) -> None:
    found: dict[str, list[float]] = {"csv": [], "ics": []}
    pairs = []
    for _ in range(size.rounds):
        rest = await rest_create.run(
            seconds=size.rest_seconds,
            rounds=1,
            clients=16,
            only="telealarm",
            peers_python=size.peers_python,
            database="sqlite",
        )
        pairs += rest["telealarm"]
        rates = await imports.run(rows=size.imported, rounds=1, database="sqlite")
        for kind, rate in rates.items():
            found[kind] += rate
    for kind, rate in found.items():
        ratio, beside = ratios(rate, pairs)
        report.add(
            f"import of 3,000 events, {kind.upper()} / by REST, per row", ratio, f"{beside} rows/s"
        )


async def list_events(size: Size, report: Report) -> None:
    found = await lists.run(events=size.events, database="sqlite")
    slowest = max(
        (ratios(times["large"][1:], times["small"][1:]) for times in found.values()),
        key=lambda ratio: ratio[0],
    )
    report.add("first list page, 1 M / 1,000 rows", slowest[0], f"{slowest[1]} ms")
    first = [times for query, times in found.items() if "start__gte" in query]
    ratio, beside = ratios(*([t[name][0] for t in first] for name in ("large", "small")))
    report.add("the same, the first time with a filter", ratio, f"{beside} ms")


async def recur(size: Size, report: Report) -> None:
    forms = recurrence.forms(size.rules)
    form = min(forms, key=lambda text: forms[text])
    figure = "next occurrence, slowest of 17 forms, dateutil / ours"
    report.add(figure, forms[form], form)
    spent = recurrence.hostile()
    rule = max(spent, key=lambda text: spent[text])
    report.add("hostile rule, CPU-ms", spent[rule], rule)


async def start(size: Size, report: Report) -> None:
    found = await footprint.run(part="start", calls="", pending=0, idle_seconds=0)
    report.add("start to ready, s", found["ready s"], f"{found['start CPU-ms']:.0f} CPU-ms")
    report.add("`telealarm --help`, s", found["help ms"] / 1000)
    report.add("resident at start, MiB", found["RSS MiB"])


async def remember(size: Size, report: Report) -> None:
    found = await footprint.run(
        part="idle,calls,pending",
        calls=str(size.live_calls),
        pending=size.pending,
        idle_seconds=size.idle_seconds,
    )
    pending = f"{found['pending idle %']:.2f} % with 1 M alarms waiting"
    report.add("idle CPU, % of a core", found["idle %"], pending)
    report.add("memory a live call, kB", found["kB a call"])
    report.add("resident with 1 M alarms waiting, MiB", found["pending RSS MiB"])


PARTS: dict[str, Callable[[Size, Report], Awaitable[None]]] = {
    "statements": count_statements,
    "calls": call_sqlite,
    "calls-postgresql": call_postgresql,
    "pace": keep_pace,
    "neighbour": spare_neighbour,
    "idle-lateness": leave_on_time,
    "claims": claim_beside_peers,
    "claim-cost": claim_among_many,
    "rest": create_by_rest,
    "import": import_files,
    "lists": list_events,
    "recurrence": recur,
    "start": start,
    "memory": remember,
}

if __name__ == "__main__":
    main()
