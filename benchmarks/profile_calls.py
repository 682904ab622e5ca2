"""Where TeleAlarm's CPU goes: py-spy over N calls, samples sorted into stages.

Usage: python profile_calls.py [--calls 600] [--database sqlite|postgresql] [--raw out.raw] [--cap 0]

py-spy must be in the same environment (pip install py-spy). The sum of the samples is scaled to the
process's CPU-ms a call from /proc, so the table adds up to what the process used.
"""

import argparse
import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from rig import cpu_ms, rig, threads_ms

# First match from the innermost frame outwards that names a function of ours tells the stage.
OURS = re.compile(r"^(?P<fn>[\w.<>]+) \((?P<file>[^:)]*telealarm/[^:)]+)")


def split(raw: str) -> list[tuple[list[str], int]]:
    found = []
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        if stack:
            found.append((stack.split(";"), int(count)))
    return found


def short(frame: str) -> str:
    return re.sub(r":\d+\)$", ")", frame).replace("telealarm/", "")


def main_table(stacks, per_sample: float) -> None:
    by_thread, by_entry, by_leaf, by_lib, inclusive = (
        Counter(),
        Counter(),
        Counter(),
        Counter(),
        Counter(),
    )
    for frames, count in stacks:
        text = " ".join(frames)
        thread = (
            "writer"
            if "_write_forever" in text
            else "reader"
            if "_read (" in text and "database.py" in text
            else (
                "loop"
                if "run_forever" in text or "uvloop" in text or "run_until_complete" in text
                else "other"
            )
        )
        by_thread[thread] += count
        ours = [f for f in frames if "telealarm/" in f and "site-packages" not in f]
        if thread in ("writer", "reader"):
            entry = None
            for i, f in enumerate(ours):
                if "_run_in_savepoint" in f or f.startswith("_read ("):
                    entry = next((short(g) for g in ours[i + 1 :]), "(savepoint itself)")
            by_entry[(thread, entry or "(commit, savepoint, queue)")] += count
        else:
            # On the loop: the first of our frames after the event loop's own.
            entry = next(
                (
                    short(f)
                    for f in ours
                    if "app.py" not in f and "cli.py" not in f and "__main__" not in f
                ),
                None,
            )
            if entry is None:
                entry = "aiohttp/asyncio: " + next(
                    (
                        short(f)
                        for f in reversed(frames)
                        if "run_once" not in f and "run_forever" not in f
                    ),
                    "?",
                )
            by_entry[(thread, entry)] += count
        by_leaf[short(frames[-1])] += count
        lib = next(
            (
                m[1]
                for f in reversed(frames)
                if (m := re.search(r"\((?:.*site-packages/)?([\w]+)", f))
            ),
            "?",
        )
        for f in set(map(short, frames)):
            inclusive[f] += count
        by_lib[lib] += count
    for title, table, n in (
        ("thread", by_thread, 9),
        ("thread, entry", by_entry, 60),
        ("leaf", by_leaf, 40),
        ("inclusive", inclusive, 110),
    ):
        print(f"\n== {title} (CPU-ms a call)")
        for key, count in table.most_common(n):
            print(f"{count * per_sample:8.3f}  {key}")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=600)
    parser.add_argument("--database", default="sqlite")
    parser.add_argument("--raw", default="profile.raw")
    parser.add_argument("--cap", type=float, default=0)
    parser.add_argument("--seconds", type=int, default=110)
    given = parser.parse_args()
    async with rig(postgres=given.database == "postgresql") as lab:
        database = lab.postgres.new_database() if lab.postgres else None
        service = await lab.service(database=database, cap=given.cap)
        first, last = await service.fill(
            2, datetime.fromtimestamp(time.time() + 2, UTC), prefix="77"
        )
        await service.settled(first, last, 30)
        due = datetime.fromtimestamp(time.time() + 6, UTC)
        first, last = await service.fill(given.calls, due)
        await asyncio.sleep(max(0, due.timestamp() - 1.5 - time.time()))
        spy = subprocess.Popen(
            [
                Path(sys.executable).parent / "py-spy",
                "record",
                "-p",
                str(service.serve.pid),
                "-f",
                "raw",
                "-r",
                "250",
                "-o",
                given.raw,
                "-d",
                str(given.seconds),
                "--nonblocking",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        before, threads = cpu_ms(service.serve.pid), threads_ms(service.serve.pid)
        out = await service.settled(first, last, given.seconds - 5)
        await asyncio.sleep(1)
        used = cpu_ms(service.serve.pid) - before
        now = threads_ms(service.serve.pid)
        os.kill(spy.pid, signal.SIGINT)
        spy.wait(20)
        done = out["done"]
        print(
            f"{done} calls, service {used / done:.2f} CPU-ms a call; by thread",
            {k: round((now[k] - threads.get(k, 0)) / done, 2) for k in now},
        )
    stacks = split(Path(given.raw).read_text())
    samples = sum(c for _, c in stacks)
    print(samples, "samples")
    main_table(stacks, used / done / samples)


if __name__ == "__main__":
    asyncio.run(main())
