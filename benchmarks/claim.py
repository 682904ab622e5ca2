"""What one claim costs if nothing else is due: among 10,000 requests that wait, and a million.

Usage: python -m benchmarks.claim [--waiting N,N] [--calendars N] [--rounds N] [--database KIND]

Without Asterisk. Each number has a database of its own; rounds alternate between them. Prints
milliseconds with so many requests waiting for another day, and as many alarms that are not due: the
best and the median of the claims of one due request (policy, caps, call row and all), a claim if
nothing is due, and the planner's step. Beside it the plain query that a loop would ask: `ORDER BY
date` over all that is pending.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta

from benchmarks.lab import databases, rows
from benchmarks.lab.stages import open_stages
from telealarm import models
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
    parser.add_argument("--waiting", default="10000,1000000", help="how many wait")
    parser.add_argument("--calendars", type=int, default=100, help="whose requests wait")
    parser.add_argument("--rounds", type=int, default=5, help="that alternate")
    parser.add_argument("--claims", type=int, default=8, help="of each in a round")
    databases.add_option(parser)
    asyncio.run(run(**vars(parser.parse_args())))


async def run(
    *, waiting: str, calendars: int, rounds: int, claims: int, database: str
) -> dict[int, Times]:
    """Return the times by how many wait."""
    times: dict[int, Times] = {}
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(databases.databases(database))
        opened = {}
        for count in map(int, waiting.split(",")):
            opened[count] = await stack.enter_async_context(open_stages(storage.new()))
            await fill(opened[count], count, calendars)
        for _ in range(rounds):
            for count, stages in opened.items():
                stages.db.peewee.bind(models.ALL)  # another database's were bound since
                await measure(stages, times.setdefault(count, Times()), claims)
    head = ("claim: best", "median", "of nothing", "planner", "plain query")
    print(f"{'waiting':>10}" + "".join(f"{title:>13}" for title in head) + "  milliseconds")
    for count, found in times.items():
        values = [min(found.claim), statistics.median(found.claim)]
        values += [min(found.nothing), min(found.planner), min(found.plain)]
        print(f"{count:10}" + "".join(f"{value:13.2f}" for value in values), flush=True)
    return times


async def fill(stages: Stages, count: int, calendars: int) -> None:
    """Write what waits."""
    alarm_id = await stages.alarm("1", start=utcnow() + timedelta(days=30))
    for present in range(0, count, rows.STEP):
        step = min(count - present, rows.STEP)
        await stages.db.write(rows.add_waiting, alarm_id, step, calendars)


async def measure(stages: Stages, times: Times, claims: int) -> None:
    """Claim one due request, some times, and ask the others of the table in between."""
    write, admission = stages.db.write, stages.admission
    for _ in range(claims):
        await stages.alarm(f"7{len(times.claim):04}")
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


async def timed(work: Awaitable[object]) -> float:
    started = time.perf_counter()
    await work
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
