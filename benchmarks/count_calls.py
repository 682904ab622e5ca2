"""What one call costs in statements, commits, ARI requests, websocket events and log lines.

Usage: python -m benchmarks.count_calls [--calls N] [--apart SECONDS] [--database KIND]

A real Asterisk and phones that press 1. The service counts (see lab/counting.py), which costs CPU
of its own: use benchmarks.calls for CPU figures. Prints figures a call, by job.
"""

import argparse
import asyncio
import json
import signal
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.lab import databases
from benchmarks.lab.rig import rig
from benchmarks.lab.service import Service, in_seconds
from tests.lab.waiting import until

WORDS = ("SELECT", "UPDATE", "INSERT", "SAVEPOINT", "RELEASE")
HEAD = ("jobs", "statements", *WORDS, "other", "CPU-us")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=500, help="due at once")
    parser.add_argument("--apart", type=float, default=0, help="seconds from one to the next")
    parser.add_argument("--cap", type=float, default=0, help="of the trunk, calls a second")
    parser.add_argument("--out", type=Path, help="a file for all counts, as JSON")
    databases.add_option(parser)
    given = vars(parser.parse_args())
    out = given.pop("out")
    result = asyncio.run(run(**given))
    if out:
        out.write_text(json.dumps(result))


async def run(*, calls: int, database: str, apart: float = 0, cap: float = 0) -> dict[str, Any]:
    """Return the counts of lab/counting.py, and how many `calls` ended."""
    async with rig(database) as lab:
        path = lab.phones.folder / "counts.json"
        service = await lab.service(environment={"VARIANT_COUNT": str(path)})
        await service.limit(cap)
        await service.warm_up()
        due = in_seconds(5)
        first, last = await fill(service, calls, due, apart)
        await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds() - 1.2))
        await counts(service, path)  # those before the first call
        ended = await service.settled(first, last, 100 + calls * apart)
        await asyncio.sleep(1)
        result = await counts(service, path)
    show(result, max(1, len(ended)))
    return {**result, "calls": len(ended)}


async def fill(service: Service, calls: int, due: datetime, apart: float) -> tuple[int, int]:
    """Write the alarms, the first due at `due`; return the first and last id."""
    if not apart:
        return await service.fill(calls, due)
    made = []
    for n in range(calls):
        later = due + timedelta(seconds=n * apart)
        made.append(await service.fill(1, later, prefix=str(10 + n)))
    return made[0][0], made[-1][1]


def statements(result: dict[str, Any]) -> float:
    """Return how many SQL statements a call cost, those of idle loops included."""
    count: int = sum(job.get("statements", 0) for job in result["jobs"].values())
    return count / max(1, result["calls"])


async def counts(service: Service, path: Path) -> dict[str, Any]:
    """Have the service write its counts and begin anew; return them."""
    service.process._child.signal(signal.SIGUSR1)  # type: ignore[union-attr]
    await until(path.exists, 10, "the counts are written")
    return await asyncio.to_thread(take, path)


def take(path: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(path.read_text())
    path.unlink()
    return result


def show(result: dict[str, Any], calls: int) -> None:
    print(f"{calls} calls; a call:")
    print(f"{'job (write or read)':48}" + "".join(f"{title:>11}" for title in HEAD))
    total: Counter[str] = Counter()
    jobs = sorted(result["jobs"].items(), key=lambda item: -item[1].get("cpu_us", 0))
    for name, job in jobs:
        words = [job.get(word, 0) for word in WORDS]
        statements = job.get("statements", 0)
        row = [job.get("jobs", 0), statements, *words]
        row += [statements - sum(words), job.get("cpu_us", 0)]
        total.update(dict(zip(HEAD, row, strict=True)))
        print(f"{name:48}" + "".join(f"{value / calls:11.2f}" for value in row))
    print(f"{'sum':48}" + "".join(f"{total[title] / calls:11.2f}" for title in HEAD))
    for kind in ("commits", "ari", "events", "parsed", "lines"):
        print(f"\n{kind} a call (sum {sum(result[kind].values()) / calls:.2f}):")
        for key, value in sorted(result[kind].items(), key=lambda item: -item[1])[:30]:
            print(f"{value / calls:9.2f}  {key}")
    print("\nstatements by shape:")
    for job, shape, count in result["sql"][:75]:
        print(f"{count / calls:8.2f}  {job:42} {shape[:170]}")


if __name__ == "__main__":
    main()
