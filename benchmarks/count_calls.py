"""What one call costs in statements, commits, ARI requests, websocket events and log lines.

Usage: python count_calls.py [--calls 500] [--database sqlite|postgresql] [--cap 0] [--out counts.json]

The service runs with counting.py in it (which costs CPU of its own: use calls.py for CPU figures).
"""

import argparse
import asyncio
import json
import os
import signal
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from rig import rig


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--database", default="sqlite")
    parser.add_argument("--cap", type=float, default=0)
    parser.add_argument("--out", default="counts.json")
    parser.add_argument("--env", default="", help="as calls.py --ours: NAME:value+NAME:value")
    given = parser.parse_args()
    async with rig(postgres=given.database == "postgresql") as lab:
        database = lab.postgres.new_database() if lab.postgres else None
        service = await lab.service(
            database=database,
            cap=given.cap,
            environment={
                "VARIANT_COUNT": given.out,
                **dict(word.split(":", 1) for word in given.env.split("+") if word),
            },
        )
        first, last = await service.fill(
            2, datetime.fromtimestamp(time.time() + 2, UTC), prefix="77"
        )
        await service.settled(first, last, 30)
        due = datetime.fromtimestamp(time.time() + 5, UTC)
        first, last = await service.fill(given.calls, due)
        await asyncio.sleep(max(0, due.timestamp() - 1.2 - time.time()))
        os.kill(service.serve.pid, signal.SIGUSR1)
        await asyncio.sleep(0.3)
        out = await service.settled(first, last, 100)
        await asyncio.sleep(1)
        Path(given.out).unlink()
        os.kill(service.serve.pid, signal.SIGUSR1)
        while not Path(given.out).exists():
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.5)
    show(json.loads(Path(given.out).read_text()), out["done"])


def show(found: dict, n: int) -> None:
    print(f"{n} calls; per call:")
    head = (
        "jobs",
        "statements",
        "SELECT",
        "UPDATE",
        "INSERT",
        "SAVEPOINT",
        "RELEASE",
        "other",
        "CPU-us",
    )
    print(f"{'stage (write or read)':48}" + "".join(f"{h:>11}" for h in head))
    total = Counter()
    for job, c in sorted(found["stats"].items(), key=lambda kv: -kv[1].get("cpu_us", 0)):
        words = {k: c.get(k, 0) for k in ("SELECT", "UPDATE", "INSERT", "SAVEPOINT", "RELEASE")}
        other = c.get("statements", 0) - sum(words.values())
        row = [c.get("jobs", 0), c.get("statements", 0), *words.values(), other, c.get("cpu_us", 0)]
        total.update(dict(zip(head, row, strict=False)))
        print(f"{job:48}" + "".join(f"{v / n:11.2f}" for v in row))
    print(f"{'sum':48}" + "".join(f"{total[h] / n:11.2f}" for h in head))
    for name in ("commits", "ari", "events", "parsed", "lines"):
        print(f"\n{name} per call (sum {sum(found[name].values()) / n:.2f}):")
        for key, value in sorted(found[name].items(), key=lambda kv: -kv[1])[:30]:
            print(f"{value / n:9.2f}  {key}")
    print("\nstatements by shape:")
    for job, shape, count in found["sql"][:75]:
        print(f"{count / n:8.2f}  {job:42} {shape[:170]}")


if __name__ == "__main__":
    asyncio.run(main())
