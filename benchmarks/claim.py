"""What one claim costs if nothing else is due: among a thousand requests that wait, and a million.

Usage: python -m benchmarks.claim [--waiting N,N] [--calendars N] [--database sqlite|postgresql|URL]

Without Asterisk. Prints milliseconds with so many requests waiting for another day, and as many
alarms that are not due: the best and the median of some claims of one due request (policy, caps,
call row and all), a claim if nothing is due, and the planner's step. Beside it the plain query that
a loop would ask: `ORDER BY date` over all that is pending.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import timedelta

from benchmarks.lab import databases, rows
from benchmarks.lab.stages import open_stages
from telealarm.clock import utcnow
from telealarm.models import AlarmRequest
from telealarm.store.engine.claim import oldest
from telealarm.words import AlarmStatus
from tests.integration.stages import Stages


@dataclass
class Times:
    """Milliseconds of each round."""

    claim: list[float] = field(default_factory=list)
    nothing: list[float] = field(default_factory=list)
    planner: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--waiting", default="1000,1000000", help="how many wait, in turn")
    parser.add_argument("--calendars", type=int, default=100, help="whose requests wait")
    parser.add_argument("--rounds", type=int, default=20, help="claims of which the best counts")
    databases.add_option(parser)
    asyncio.run(run(parser.parse_args()))


async def run(given: argparse.Namespace) -> None:
    head = ("claim: best", "median", "of nothing", "planner", "plain query")
    async with databases.databases(given.database) as storage, open_stages(storage.new()) as stages:
        print(f"{'waiting':>10}" + "".join(f"{title:>13}" for title in head) + "  milliseconds")
        alarm_id = await stages.alarm("1", start=utcnow() + timedelta(days=30))
        present = 0
        for waiting in map(int, given.waiting.split(",")):
            while present < waiting:
                step = min(waiting - present, rows.STEP)
                await stages.db.write(rows.add_waiting, alarm_id, step, given.calendars)
                present += step
            times = await measure(stages, given.rounds)
            values = [min(times.claim), statistics.median(times.claim)]
            values += [min(times.nothing), min(times.planner), min(times.plain)]
            print(f"{waiting:10}" + "".join(f"{value:13.2f}" for value in values), flush=True)


async def measure(stages: Stages, rounds: int) -> Times:
    """Claim one due request, some times, and ask the others of the table in between."""
    times = Times()
    write, admission = stages.db.write, stages.admission
    for n in range(rounds):
        await stages.alarm(f"7{n:04}")
        await stages.planner.step()
        now = utcnow()
        pending = write(oldest, AlarmRequest, now, 50, pending=AlarmStatus.PENDING)
        times.plain.append(await timed(pending))
        started = time.perf_counter()
        (call,) = (await write(admission.claim, now, 50)).calls
        times.claim.append((time.perf_counter() - started) * 1000)
        await stages.place(call)
        await stages.end(call)
        times.planner.append(await timed(stages.planner.step()))
        times.nothing.append(await timed(write(admission.claim, utcnow(), 50)))
    return times


async def timed(work: Awaitable[object]) -> float:
    started = time.perf_counter()
    await work
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
