"""How many due requests are planned and claimed a second, among 10,000 that wait and a million.

Usage: python -m benchmarks.claim_rate [--waiting N,N] [--due N] [--database KIND]

Without Asterisk. So many alarms come due among the `waiting` ones: the planner makes requests of
them (plan), and Admission.claim takes 50 at a time as the dialer does, policy, caps, call rows and
all (claim). Beside it the claim without policy: `oldest` and a compare-and-set (raw). Prints how
many a second, and CPU milliseconds each of this process and of PostgreSQL. benchmarks.claim_peers
measures procrastinate and APScheduler.
"""

import argparse
import asyncio
import time
from datetime import timedelta

from benchmarks.lab import databases, rows
from benchmarks.lab.databases import Databases
from benchmarks.lab.meters import load
from benchmarks.lab.stages import open_stages
from telealarm.clock import utcnow
from telealarm.models import Alarm, AlarmRequest, CallRequest
from telealarm.store.engine import claim
from telealarm.words import AlarmStatus, CallStatus
from tests.integration.stages import Stages

LIMIT = 50
REPEATS = 2
CALENDARS = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--waiting", default="10000,1000000", help="how many wait, in turn")
    parser.add_argument("--due", type=int, default=2000, help="how many come due")
    databases.add_option(parser)
    asyncio.run(run(**vars(parser.parse_args())))


async def run(*, waiting: str, due: int, database: str) -> dict[str, float]:
    """Return how many a second, the last time of each, by `waiting` and name: `10000 claim`."""
    rates: dict[str, float] = {}
    async with databases.databases(database) as storage, open_stages(storage.new()) as stages:
        waits = await stages.alarm("1", start=utcnow() + timedelta(days=30))
        present = 0
        for count in map(int, waiting.split(",")):
            while present < count:
                step = min(count - present, rows.STEP)
                await stages.db.write(rows.add_waiting, waits, step, CALENDARS)
                present += step
            for _ in range(REPEATS):
                for name, work in WORK.items():
                    rates[f"{count} {name}"] = await work(stages, Meter(storage, count, name), due)
    return rates


class Meter:
    """Times a piece of work from `start` on, and prints its line."""

    def __init__(self, storage: Databases, waiting: int, what: str) -> None:
        self._storage = storage
        self._name = f"{waiting:9} waiting: {what:6}"

    def start(self) -> None:
        self._started = time.perf_counter()
        self._cpu = time.process_time() * 1000
        self._server = self._storage.cpu_ms()

    def show(self, count: int) -> float:
        """Return how many a second."""
        seconds = time.perf_counter() - self._started
        cpu = (time.process_time() * 1000 - self._cpu) / max(count, 1)
        server = (self._storage.cpu_ms() - self._server) / max(count, 1)
        print(
            f"{self._name} {count / seconds:8.0f}/s  CPU-ms each {cpu:.3f}, PostgreSQL {server:.3f}"
            f"  ({count})  load {load()}",
            flush=True,
        )
        return count / seconds


async def plan(stages: Stages, meter: Meter, due: int) -> float:
    """The planner makes requests of alarms that have come due."""
    first = await stages.alarm("7", start=utcnow() - timedelta(seconds=5))
    await stages.db.write(add_due_alarms, first, due - 1)
    meter.start()
    while await stages.db.read(count_pending, stages.calendar.id) < due:
        await stages.planner.step()
    return meter.show(due)


def add_due_alarms(alarm_id: int, count: int) -> None:
    rows.multiply(Alarm.get_by_id(alarm_id), count, alarm_phonenumber="'7' || i")


def count_pending(queue: int) -> int:
    pending = AlarmRequest.status == AlarmStatus.PENDING
    return AlarmRequest.select().where(AlarmRequest.queue == queue, pending).count()


async def claim_all(stages: Stages, meter: Meter, due: int) -> float:
    """The requests are claimed as the dialer claims them."""
    count = 0
    meter.start()
    while count < due:
        calls = (await stages.db.write(stages.admission.claim, utcnow(), LIMIT)).calls
        if not calls:
            break
        count += len(calls)
    found = meter.show(count)
    await stages.db.write(end_calls)
    return found


def end_calls() -> None:
    ended = {"ended": utcnow(), "settled": utcnow(), "status": CallStatus.FAILURE}
    CallRequest.update(**ended).where(CallRequest.ended.is_null()).execute()


async def claim_raw(stages: Stages, meter: Meter, due: int) -> float:
    """As many requests are claimed without policy, caps and call rows."""
    alarm_id = await stages.alarm("8", start=utcnow() + timedelta(days=40))
    await stages.db.write(add_due_requests, alarm_id, due)
    count = 0
    meter.start()
    while count < due and (claimed := await stages.db.write(claim_oldest, stages.holder)):
        count += claimed
    return meter.show(count)


def add_due_requests(alarm_id: int, count: int) -> None:
    alarm = Alarm.get_by_id(alarm_id)
    request = AlarmRequest.create(owner=alarm.owner_id, alarm=alarm, date=utcnow(), queue=77)
    rows.multiply(request, count - 1)


def claim_oldest(holder: claim.Holder) -> int:
    now = utcnow()
    requests = claim.oldest(AlarmRequest, now, LIMIT, pending=AlarmStatus.PENDING)
    return len(claim.claim(requests, holder, now, claimed=AlarmStatus.IN_PROCESS))


WORK = {"plan": plan, "claim": claim_all, "raw": claim_raw}

if __name__ == "__main__":
    main()
