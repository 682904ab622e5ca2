"""P9: memory and idle CPU, start, import and --help times.

Usage: python footprint.py [--part start,calls,idle,pending] [--calls 100,300] [--pending 1000000]

start: seconds from exec to /healthz 200 and to /readyz 200, import of telealarm, `telealarm --help`
(medians of 5). calls: RSS with so many calls up (SIPp presses no key; the survey waits), per call.
idle: CPU of 60 s with no alarm. pending: RSS and CPU of 60 s with so many pending alarms.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime

from rig import REPO, cpu_ms, load, rig, rss_kb

from tests.lab.rest import number_of


def timed(*argv: object) -> float:
    times = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run([str(a) for a in argv], stdout=subprocess.DEVNULL, check=True, cwd=REPO)
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


async def idle(serve, seconds: float = 60) -> str:
    before = cpu_ms(serve.pid)
    await asyncio.sleep(seconds)
    return f"{(cpu_ms(serve.pid) - before) / seconds / 10:.2f} % of a core over {seconds:.0f} s, RSS {rss_kb(serve.pid) / 1024:.1f} MiB"


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", default="start,idle,calls,pending")
    parser.add_argument("--calls", default="100,300")
    parser.add_argument("--pending", type=int, default=1_000_000)
    given = parser.parse_args()
    parts = given.part.split(",")
    if "start" in parts:
        print(
            f"python -c pass {timed(sys.executable, '-c', 'pass'):.0f} ms; import telealarm {timed(sys.executable, '-c', 'import telealarm'):.0f};"
            f" import telealarm.cli {timed(sys.executable, '-c', 'import telealarm.cli'):.0f}; import telealarm.app {timed(sys.executable, '-c', 'import telealarm.app'):.0f};"
            f" telealarm --help {timed(REPO / '.venv/bin/telealarm', '--help'):.0f} ms  load {load()}",
            flush=True,
        )
    async with rig(key=600) as lab:
        service = await lab.service()
        serve = service.serve
        base = rss_kb(serve.pid)
        print(f"RSS after start, ready, clinic made: {base / 1024:.1f} MiB", flush=True)
        if "start" in parts:
            times = []
            for _ in range(5):
                await serve.terminate()
                began = time.perf_counter()
                await serve.start()
                healthy = time.perf_counter() - began
                await serve.ready()
                times.append((healthy, time.perf_counter() - began, cpu_ms(serve.pid)))
            print(
                f"start: /healthz after {statistics.median(t[0] for t in times):.2f} s, /readyz {statistics.median(t[1] for t in times):.2f} s,"
                f" CPU {statistics.median(t[2] for t in times):.0f} ms; RSS then {rss_kb(serve.pid) / 1024:.1f} MiB  load {load()}",
                flush=True,
            )
        if "idle" in parts:
            print("idle, 0 alarms:", await idle(serve), "load", load(), flush=True)
        if "calls" in parts:
            # First a crowd that is hung up again: what the allocator keeps is not counted to the calls.
            for count in map(int, given.calls.split(",")):
                await serve.terminate()
                await serve.start()
                await serve.ready()
                await service.fill(5, datetime.fromtimestamp(time.time() + 2, UTC), prefix="66")
                await asyncio.sleep(8)
                base = rss_kb(serve.pid)
                gateway = (await service.clinic.rest.results("gateway/"))[0]
                await service.clinic.rest.patch(gateway["url"], {"calls_per_second": 20})
                first, _last = await service.fill(
                    count, datetime.fromtimestamp(time.time() + 3, UTC), prefix=str(count % 90 + 10)
                )
                best = 0
                for _ in range(150):
                    await asyncio.sleep(0.5)

                    def up() -> int:
                        from telealarm.models import CallRequest

                        return (
                            CallRequest.select()
                            .where(
                                CallRequest.alarm >= first,
                                CallRequest.answered.is_null(False),
                                CallRequest.ended.is_null(),
                            )
                            .count()
                        )

                    now = await asyncio.to_thread(service.database().look, up)
                    best = max(best, now)
                    if now >= count:
                        break
                await asyncio.sleep(1)
                rss = rss_kb(serve.pid)
                print(
                    f"{now} calls up (of {count}): RSS {rss / 1024:.1f} MiB, {(rss - base) / max(now, 1):.1f} kB a call above {base / 1024:.1f}  load {load()}",
                    flush=True,
                )
                await lab.asterisk.cli("channel request hangup all")
                await asyncio.sleep(8)
        if "pending" in parts:
            made = await service.clinic.appointment("100000", due_in=30 * 86400, maxretry=0)

            def many() -> None:
                from benchmarks.claim import multiply
                from telealarm.models import Alarm

                alarm = Alarm.get_by_id(number_of(made.alarm))
                for _ in range(given.pending // 100_000):
                    multiply(alarm, 100_000)

            began = time.perf_counter()
            database = service.database()
            await serve.terminate()
            await asyncio.to_thread(database.run, many)
            print(
                f"{given.pending} pending alarms written in {time.perf_counter() - began:.0f} s",
                flush=True,
            )
            began = time.perf_counter()
            await serve.start()
            await serve.ready()
            print(
                f"start with them: ready after {time.perf_counter() - began:.2f} s, RSS {rss_kb(serve.pid) / 1024:.1f} MiB"
            )
            print(f"idle, {given.pending} pending:", await idle(serve), "load", load(), flush=True)


asyncio.run(main())
