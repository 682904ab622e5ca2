"""Where the service's CPU goes during calls: samples of py-spy, by thread, stage and function.

Usage: python -m benchmarks.profile_calls [--calls N] [--raw FILE] [--database KIND]

A real Asterisk and phones that press 1. py-spy must be in the same environment: pip install py-spy.
The samples are scaled to the CPU milliseconds that the process used, so each table adds up to them.
"""

import argparse
import asyncio
import re
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.lab import databases
from benchmarks.lab.rig import rig
from benchmarks.lab.service import Service, ServiceMeter, in_seconds
from tests.lab.processes import Child

SAMPLES_A_SECOND = "250"
# Frames of the event loop itself.
LOOP = ("run_once", "run_forever", "run_until_complete")
# Our frames around everything on the loop; they tell nothing.
AROUND = ("service.py", "cli/", "__main__")

Stack = tuple[list[str], int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=600, help="due at once")
    parser.add_argument("--cap", type=float, default=0, help="of the trunk, calls a second")
    parser.add_argument("--seconds", type=int, default=110, help="how long it samples at most")
    parser.add_argument("--raw", type=Path, help="keep py-spy's stacks in this file")
    databases.add_option(parser)
    given = parser.parse_args()
    py_spy = Path(sys.executable).parent / "py-spy"
    if not py_spy.exists():
        raise SystemExit("py-spy is missing: pip install py-spy into this environment.")
    raw, ms_a_call = asyncio.run(run(given, py_spy))
    if given.raw:
        given.raw.write_text(raw)
    show(list(stacks(raw)), ms_a_call)


async def run(given: argparse.Namespace, py_spy: Path) -> tuple[str, float]:
    """Return py-spy's stacks and the service's CPU milliseconds a call."""
    async with rig(given.database) as lab:
        service = await lab.service()
        await service.limit(given.cap)
        await service.warm_up()
        due = in_seconds(6)
        first, last = await service.fill(given.calls, due)
        await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds() - 1.5))
        raw = lab.phones.folder / "stacks"
        spy = start(py_spy, service, raw, given.seconds)
        meter = ServiceMeter(service.process.pid)
        ended = await service.settled(first, last, given.seconds - 5)
        await asyncio.sleep(1)
        count = max(1, len(ended))
        used, by_thread = meter.total_ms() / count, meter.threads_ms(count)
        spy.signal(signal.SIGINT)  # it writes what it has
        await spy.wait(60)
        print(f"{len(ended)} calls, {used:.2f} CPU-ms a call; by thread {by_thread}", flush=True)
        if not raw.exists():
            raise RuntimeError(f"py-spy wrote nothing: {spy.tail()}")
        return await asyncio.to_thread(raw.read_text), used


def start(py_spy: Path, service: Service, raw: Path, seconds: int) -> Child:
    argv: list[str | Path] = [py_spy, "record", "--pid", str(service.process.pid)]
    argv += ["--format", "raw", "--rate", SAMPLES_A_SECOND, "--output", raw]
    argv += ["--duration", str(seconds), "--nonblocking"]
    return Child(argv, raw.with_suffix(".log"))


def stacks(raw: str) -> Iterator[Stack]:
    """Yield each stack, from the outermost frame on, and how often it was seen."""
    for line in raw.splitlines():
        frames, _, count = line.rpartition(" ")
        if frames:
            yield frames.split(";"), int(count)


def show(samples: list[Stack], ms_a_call: float) -> None:
    total = sum(count for _, count in samples)
    print(f"{total} samples")
    by_thread, by_entry, innermost, inclusive = Counter(), Counter(), Counter(), Counter()
    for frames, count in samples:
        thread = thread_of(frames)
        by_thread[thread] += count
        by_entry[(thread, entry_of(thread, frames))] += count
        innermost[short(frames[-1])] += count
        for frame in set(map(short, frames)):
            inclusive[frame] += count
    for title, table, most in (
        ("by thread", by_thread, 9),
        ("by thread and entry", by_entry, 60),
        ("by innermost function", innermost, 40),
        ("by function, what it calls included", inclusive, 110),
    ):
        print(f"\n{title}, CPU-ms a call:")
        for key, count in table.most_common(most):
            print(f"{count * ms_a_call / total:8.3f}  {key}")


def thread_of(frames: list[str]) -> str:
    text = " ".join(frames)
    if "_write_forever" in text:
        return "writer"
    if "_read (" in text and "database.py" in text:
        return "reader"
    return "loop" if any(name in text for name in LOOP) else "other"


def entry_of(thread: str, frames: list[str]) -> str:
    """The job of a writer or reader; on the loop, our outermost function that tells something."""
    ours = [frame for frame in frames if "telealarm/" in frame and "site-packages" not in frame]
    if thread in ("writer", "reader"):
        for n, frame in enumerate(ours):
            if "_run_in_savepoint" in frame or frame.startswith("_read ("):
                return next(map(short, ours[n + 1 :]), "(savepoint)")
        return "(commit, savepoint, queue)"
    for frame in ours:
        if not any(name in frame for name in AROUND):
            return short(frame)
    library = (f for f in reversed(frames) if not any(name in f for name in LOOP))
    return f"aiohttp, asyncio: {next(map(short, library), '?')}"


def short(frame: str) -> str:
    """The frame without its line and our package's name."""
    return re.sub(r":\d+\)$", ")", frame).replace("telealarm/", "")


if __name__ == "__main__":
    main()
