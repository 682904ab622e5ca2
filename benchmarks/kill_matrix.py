"""Kill the service again and again while phones ring: was an alarm lost, or called twice untold?

Usage: python -m benchmarks.kill_matrix [--alarms N] [--rate N] [--workers N] [--freeze SHARE]

A real Asterisk calls phones of one SIPp that answer, press 1 (again every 2 s) and wait. The
service is killed (kill -9) at random moments and started again; with --freeze some of the kills are
freezes past the lease instead. In the end every alarm is held against the network's own count of
INVITEs and against its timeline. Several workers need --database postgresql. Prints one line of
figures; its names in capitals are faults. Exit status 1 if there is one.
"""

import argparse
import asyncio
import collections
import random
import sys
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from benchmarks.lab import databases
from benchmarks.lab.service import Service, open_service
from tests.lab.asterisk import Asterisk
from tests.lab.behaviours import Behaviour
from tests.lab.clinic import UNSETTLED, Appointment
from tests.lab.exchange import Exchange
from tests.lab.phone import Phone
from tests.lab.rest import JSON
from tests.lab.serve import Serve

LEASE_SECONDS = 10
FREEZE_SECONDS = 15.0
# For all alarms to be written before the first is due.
WRITE_SECONDS, WRITE_SECONDS_EACH = 5.0, 0.15
END_SECONDS = 180.0
SUCCESS = 5
# Words of the timeline that tell why an alarm is called once more.
TOLD = {"redial", "retry", "unknown", "failover"}
SHOWN = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--alarms", type=int, default=200)
    parser.add_argument("--rate", type=float, default=4.0, help="alarms due a second")
    parser.add_argument("--seed", type=int, default=1, help="of the random moments")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--freeze", type=float, default=0.0, help="share of freezes, 0 to 1")
    parser.add_argument("--low", type=float, default=1.0, help="seconds to the next kill, at least")
    parser.add_argument("--high", type=float, default=5.0, help="and at most")
    databases.add_option(parser)
    sys.exit(asyncio.run(run(parser.parse_args())))


async def run(given: argparse.Namespace) -> int:
    async with AsyncExitStack() as stack:
        exchange = Exchange()
        await exchange.start()
        stack.push_async_callback(exchange.stop)
        asterisk = Asterisk(exchange.port)
        await asterisk.start()
        stack.push_async_callback(asterisk.stop)
        behaviour = Behaviour(keys="1111111", first_key=1.0, between=2.0, info=True)
        phone = await stack.enter_async_context(Phone("100000", behaviour, exchange))
        storage = await stack.enter_async_context(databases.databases(given.database))
        service = await open_service(
            stack,
            asterisk,
            database=storage.new(),
            settings={"worker": {"lease_seconds": LEASE_SECONDS}},
            script="Good morning. Please press 1.",
            section={"timeout": 10, "retries": 2},
            setting={"call_timeout": 20},
        )
        workers = [service.process]
        for n in range(1, given.workers):
            twin = service.process.twin(f"lab-{n}")
            stack.push_async_callback(twin.stop)
            await twin.start()
            workers.append(twin)
        start = time.time() + WRITE_SECONDS + WRITE_SECONDS_EACH * given.alarms
        alarms = await make_alarms(service, exchange, given, start)
        await asyncio.sleep(max(0.0, start - time.time()))
        kills = await kill(asterisk, workers, given, start + given.alarms / given.rate)
        verdict = await judge(service, exchange, alarms)
        pressed = Counter(entry.what for entry in await phone.log())
    for line in verdict.shown[:SHOWN]:
        print(line)
    print("phones", dict(pressed))
    counts = " ".join(f"{name}={count}" for name, count in sorted(verdict.counts.items()))
    print(f"alarms={given.alarms} workers={given.workers} {kills} {counts}")
    return int(verdict.has_fault)


async def make_alarms(
    service: Service, exchange: Exchange, given: argparse.Namespace, start: float
) -> list[Appointment]:
    """Write all alarms; the first is due at `start`, the others at the rate that was asked for."""
    port = exchange._phones["100000"]
    alarms = []
    for n in range(given.alarms):
        number = str(200_000 + n)
        exchange.plug(number, port)
        alarm = await service.clinic.appointment(
            number,
            due_in=start + n / given.rate - time.time(),
            maxretry=3,
            retry_delay=2,
            max_lateness=3600,
            require_result=True,
        )
        alarms.append(alarm)
    return alarms


@dataclass
class Kills:
    """What was done to the workers."""

    kills: int = 0
    freezes: int = 0
    calls_up: int = 0
    back_seconds: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        back = self.back_seconds or [0.0]
        return (
            f"kills={self.kills} freezes={self.freezes} calls_in_flight_at_kills={self.calls_up}"
            f" restart_s={min(back):.1f}..{max(back):.1f}"
        )


async def kill(
    asterisk: Asterisk, workers: list[Serve], given: argparse.Namespace, end: float
) -> Kills:
    """Kill or freeze a worker at random moments until `end`."""
    chance = random.Random(given.seed)
    kills = Kills()
    while time.time() < end:
        await asyncio.sleep(chance.uniform(given.low, given.high))
        kills.calls_up += await calls_up(asterisk)
        worker = chance.choice(workers)
        started = time.time()
        if chance.random() < given.freeze:
            kills.freezes += 1
            worker.freeze()
            await asyncio.sleep(FREEZE_SECONDS)
            worker.thaw()
            if not worker.running:
                await worker.start()
        else:
            kills.kills += 1
            await worker.kill9()
            if len(workers) > 1:  # sometimes another takes over first
                await asyncio.sleep(chance.uniform(0, LEASE_SECONDS + 4))
            await worker.start()
        kills.back_seconds.append(time.time() - started)
    return kills


async def calls_up(asterisk: Asterisk) -> int:
    """Return how many calls Asterisk has now; 0 if it says something else."""
    words = (await asterisk.cli("core show channels count")).split(" active call")[0].split()
    return int(words[-1]) if words and words[-1].isdigit() else 0


@dataclass
class Eligibility:
    """Counts by name; those in capitals are faults. `shown` are lines about single alarms."""

    counts: Counter[str] = field(default_factory=collections.Counter)
    shown: list[str] = field(default_factory=list)

    @property
    def has_fault(self) -> bool:
        return any(name.isupper() for name in self.counts)

    def fault(self, name: str, alarm: Appointment, timeline: list[JSON]) -> None:
        self.counts[name] += 1
        self.shown.append(f"{name} {alarm.number}: {_told(timeline)}")


async def judge(service: Service, exchange: Exchange, alarms: list[Appointment]) -> Eligibility:
    """Wait until all alarms are at their end, and compare each with the network's INVITEs."""
    rows = await all_settled(service)
    verdict = Eligibility()
    for alarm in alarms:
        timeline = await service.clinic.timeline(alarm)
        rung = len(exchange.calls_to(alarm.number))
        _judge_one(verdict, alarm, rows[alarm.number], timeline, rung)
    return verdict


async def all_settled(service: Service) -> dict[str, JSON]:
    """Return the alarms by number once none is unsettled, or when the time for that is over."""
    deadline = time.time() + END_SECONDS
    while True:
        rows: dict[str, JSON] = {}
        page = 1
        while True:
            answer = await service.clinic.rest.get(f"alarm/?page_size=1000&page={page}")
            rows |= {row["alarm_phonenumber"]: row for row in answer["results"]}
            if not answer["next"]:
                break
            page += 1
        unsettled = any(row["status"] in UNSETTLED for row in rows.values())
        if not unsettled or time.time() > deadline:
            return rows
        await asyncio.sleep(2)


def _judge_one(
    verdict: Eligibility, alarm: Appointment, row: JSON, timeline: list[JSON], rung: int
) -> None:
    words = [entry["what"] for entry in timeline]
    verdict.counts[f"status{row['status']}result{row['result']}"] += 1
    if row["status"] in UNSETTLED:
        verdict.fault("STUCK", alarm, timeline)
    else:
        verdict.counts["terminal"] += 1
    if rung == 0:
        verdict.counts["unrung"] += 1
        if row["status"] == SUCCESS:
            verdict.fault("SUCCESS_UNRUNG", alarm, timeline)
    if rung > 1:
        again = (e["why"].split(";")[0] for e in timeline if e["what"] in ("retry", "redial"))
        verdict.counts["rung_again"] += 1
        verdict.counts[f"again_because_{next(again, '?')}"] += 1
        if not TOLD.intersection(words):
            verdict.fault("DOUBLE_UNTOLD", alarm, timeline)
        keys = [entry["why"] for entry in timeline if entry["what"] == "key"]
        if "1" in keys[:-1]:
            verdict.fault("RUNG_AFTER_KEY", alarm, timeline)
    if rung > words.count("originate"):
        verdict.fault("INVITES_OVER_ORIGINATES", alarm, timeline)
    verdict.counts["unknown_window"] += "unknown" in words
    verdict.counts["adopted"] += "adopted" in words


def _told(timeline: list[JSON]) -> str:
    return " | ".join(f"{e['at'][14:23]} {e['what']} {e['why']}" for e in timeline)


if __name__ == "__main__":
    main()
