"""Memory and idle CPU of the service, and how long it takes to start.

Usage: python -m benchmarks.footprint [--part start,idle,calls,pending] [--calls N,N] [--pending N]

start: milliseconds of imports and of `telealarm --help`, seconds to /healthz and /readyz.
idle: CPU while nothing is due. calls: resident memory while so many calls are up, per call (the
phones press no key, so the survey waits). pending: start, memory and idle CPU with so many alarms
that are due in a month.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import time

from benchmarks.lab import rows
from benchmarks.lab.meters import cpu_ms, load, rss_kb
from benchmarks.lab.rig import Rig, rig
from benchmarks.lab.service import ROOT, Serve, Service, as_installed, in_seconds
from telealarm.models import Alarm, CallRequest
from tests.lab.rest import number_of

RUNS = 5
IMPORTS = ("telealarm", "telealarm.cli.main", "telealarm.service")
UP_SECONDS = 75.0
# For a crowd that was hung up to be settled.
SETTLE_SECONDS = 8.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--part", default="start,idle,calls,pending", help="which parts")
    parser.add_argument("--calls", default="100,300", help="how many are up, in turn")
    parser.add_argument("--pending", type=int, default=1_000_000, help="alarms that wait")
    parser.add_argument("--idle-seconds", type=float, default=60, help="how long CPU is measured")
    asyncio.run(run(**vars(parser.parse_args())))


async def run(*, part: str, calls: str, pending: int, idle_seconds: float) -> dict[str, float]:
    """Return the figures by name, with their units: `ready s`, `help ms`, `idle %`, `RSS MiB`.

    And `kB a call` of the last of `calls`, `pending ready s`, `pending RSS MiB`, `pending idle %`.
    """
    parts = part.split(",")
    found: dict[str, float] = {}
    if "start" in parts:
        found["help ms"] = await asyncio.to_thread(commands)
    async with rig("sqlite", key=600) as lab:
        service = await lab.service()
        print(
            f"RSS after the first start: {rss(service.process):.1f} MiB  load {load()}", flush=True
        )
        if "start" in parts:
            found |= await starts(service.process)
        if "idle" in parts:
            found["idle %"] = await idle(service.process, idle_seconds, "no alarm")
        if "calls" in parts:
            for count in map(int, calls.split(",")):
                found["kB a call"] = await calls_up(lab, service, count)
        if "pending" in parts:
            found |= await many_pending(service, pending, idle_seconds)
    return found


def commands() -> float:
    """Print what a command pays before it does anything; return the milliseconds of --help."""
    print(f"python -c pass: {timed('-c', 'pass'):.0f} ms")
    for module in IMPORTS:
        print(f"import {module}: {timed('-c', f'import {module}'):.0f} ms")
    helped = timed("-m", "telealarm", "--help")
    print(f"telealarm --help: {helped:.0f} ms  load {load()}", flush=True)
    return helped


def timed(*arguments: str) -> float:
    """Return the median milliseconds of some runs of this Python."""
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        argv = [sys.executable, *arguments]
        subprocess.run(argv, stdout=subprocess.DEVNULL, check=True, cwd=ROOT, env=as_installed())
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


async def starts(process: Serve) -> dict[str, float]:
    healthy, ready, cpu, resident = [], [], [], []
    for _ in range(RUNS):
        await process.terminate()
        started = time.perf_counter()
        await process.start()
        healthy.append(time.perf_counter() - started)
        await process.ready()
        ready.append(time.perf_counter() - started)
        cpu.append(cpu_ms(process.pid))
        resident.append(rss(process))
    found = {
        "ready s": statistics.median(ready),
        "start CPU-ms": statistics.median(cpu),
        "RSS MiB": statistics.median(resident),
    }
    print(
        f"start: /healthz after {statistics.median(healthy):.2f} s,"
        f" /readyz after {found['ready s']:.2f} s, {found['start CPU-ms']:.0f} CPU-ms;"
        f" RSS then {found['RSS MiB']:.1f} MiB  load {load()}",
        flush=True,
    )
    return found


async def idle(process: Serve, seconds: float, what: str) -> float:
    """Return the percentage of a core."""
    before = cpu_ms(process.pid)
    await asyncio.sleep(seconds)
    share = (cpu_ms(process.pid) - before) / seconds / 10
    print(
        f"{what}: {share:.2f} % of a core in {seconds:.0f} s, RSS {rss(process):.1f} MiB"
        f"  load {load()}",
        flush=True,
    )
    return share


async def calls_up(lab: Rig, service: Service, count: int) -> float:
    """Return kB a call with so many calls up, above those after a few which have ended."""
    process = service.process
    await process.terminate()
    await process.start()
    await process.ready()
    # A few first: what the allocator keeps is not counted to the calls.
    await service.fill(5, in_seconds(2), prefix="66")
    await asyncio.sleep(SETTLE_SECONDS)
    await lab.asterisk.cli("channel request hangup all")
    await asyncio.sleep(SETTLE_SECONDS)
    base = rss_kb(process.pid)
    await service.limit(20)
    first, last = await service.fill(count, in_seconds(3), prefix=str(count % 90 + 10))
    deadline = time.monotonic() + UP_SECONDS
    up = 0
    while up < count and time.monotonic() < deadline:
        await asyncio.sleep(0.5)
        up = await service.look(count_up, first, last)
    await asyncio.sleep(1)
    kilobytes = rss_kb(process.pid)
    each = (kilobytes - base) / max(up, 1)
    print(
        f"{up} of {count} calls up: RSS {kilobytes / 1024:.1f} MiB,"
        f" {each:.1f} kB a call above {base / 1024:.1f}  load {load()}",
        flush=True,
    )
    await lab.asterisk.cli("channel request hangup all")
    await asyncio.sleep(SETTLE_SECONDS)
    return each


def count_up(first: int, last: int) -> int:
    up = CallRequest.answered.is_null(False) & CallRequest.ended.is_null()
    return CallRequest.select().where(CallRequest.alarm.between(first, last), up).count()


async def many_pending(service: Service, count: int, idle_seconds: float) -> dict[str, float]:
    alarm = await service.clinic.appointment("100000", due_in=30 * 86400, maxretry=0)
    await service.process.terminate()
    alarm_id = number_of(alarm.alarm)
    for present in range(0, count, rows.STEP):
        await service.work(add_pending, alarm_id, min(rows.STEP, count - present))
    started = time.perf_counter()
    await service.process.start()
    await service.process.ready()
    seconds = time.perf_counter() - started
    print(f"{count} pending: ready after {seconds:.2f} s, RSS {rss(service.process):.1f} MiB")
    share = await idle(service.process, idle_seconds, f"{count} pending")
    return {
        "pending ready s": seconds,
        "pending idle %": share,
        "pending RSS MiB": rss(service.process),
    }


def add_pending(alarm_id: int, count: int) -> None:
    rows.multiply(Alarm.get_by_id(alarm_id), count)


def rss(process: Serve) -> float:
    return rss_kb(process.pid) / 1024


if __name__ == "__main__":
    main()
