"""P4, P5: due claims a second, and what a claim costs among 10 k, 1 M (10 M) that wait.

Usage: python claims.py [--database sqlite|postgresql] [--waiting 10000,1000000] [--due 2000]

Ours, with the stages of the service but no Asterisk: `due` alarms come due among `waiting` pending
alarms (the planner's crowd makes requests of them) and as many waiting requests of tomorrow; then
Admission.claim takes them 50 at a time, as the dialer does (policy, caps, call rows and all). Beside
it the raw claim (oldest + compare-and-set, no policy). Prints claims/s, CPU-ms a claim (this process
| PostgreSQL), and the cost of one lone claim (P5). Peers: claims_peers.py on the same PostgreSQL.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from datetime import timedelta
from functools import partial

from rig import DurablePostgres, cpu_ms, load, postgres_pid

from benchmarks.claim import multiply
from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.models import Alarm, AlarmRequest, Event, User
from telealarm.store.dialing import calls
from telealarm.store.engine import claim
from telealarm.store.open import open_database
from telealarm.words import AlarmStatus
from tests.integration.stages import Stages


def clock(server) -> tuple[float, float]:
    return time.process_time() * 1000, cpu_ms(postgres_pid(server), tree=True) if server else 0.0


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="sqlite")
    parser.add_argument("--waiting", default="10000,1000000")
    parser.add_argument("--due", type=int, default=2000)
    given = parser.parse_args()
    server = DurablePostgres() if given.database == "postgresql" else None
    if server:
        await asyncio.to_thread(server.start)
    with tempfile.TemporaryDirectory() as folder:
        db = open_database(
            Config(database=server.new_database() if server else f"sqlite:///{folder}/claim.db")
        )
        db.start()
        try:
            await measure(db, server, [int(w) for w in given.waiting.split(",")], given.due)
        finally:
            await db.close()
    if server:
        await asyncio.to_thread(server.stop)


async def measure(db, server, waitings: list[int], due: int) -> None:
    await db.write(lambda: User.create(username="manager", password_hash="-"))
    stages = await Stages.build(db)
    far = await stages.alarm("1", start=utcnow() + timedelta(days=30))
    there = 0

    def fill(more: int) -> None:
        alarm = Alarm.get_by_id(far)
        if not AlarmRequest.select().exists():
            AlarmRequest.create(
                owner=alarm.owner_id, alarm=alarm, date=utcnow() + timedelta(days=1), queue=1000
            )
        multiply(
            AlarmRequest.select().order_by(AlarmRequest.id).get(),
            more,
            queue="1000 + i - (i / 100) * 100",
        )
        multiply(alarm, more)
        AlarmRequest._meta.database.execute_sql("ANALYZE")

    for waiting in waitings:
        # in pieces: a write may take no longer than the statement timeout of PostgreSQL
        began = time.perf_counter()
        while there < waiting:
            step = min(waiting - there, 200_000)
            await db.write(fill, step)
            there += step
        print(f"filled to {waiting} waiting in {time.perf_counter() - began:.0f} s", flush=True)
        for repeat in range(2):
            await one(db, stages, server, waiting, due, repeat)


async def one(db, stages, server, waiting: int, due: int, repeat: int) -> None:
    first = await stages.alarm("7", start=utcnow() + timedelta(seconds=-5))

    def alarms() -> None:
        Event.get_by_id(Alarm.get_by_id(first).event_id)
        alarm = Alarm.get_by_id(first)
        multiply(alarm, due - 1, alarm_phonenumber="'7' || i")

    await db.write(alarms)
    a = clock(server)
    began = time.perf_counter()
    planned = 0
    while True:
        await stages.planner.step()
        planned = await db.read(
            lambda: (
                AlarmRequest.select()
                .where(AlarmRequest.queue == stages.calendar.id, AlarmRequest.status == 1)
                .count()
            )
        )
        if planned >= due:
            break
    took = time.perf_counter() - began
    b = clock(server)
    print(
        f"{waiting:9} waiting: plan    {due / took:8.0f}/s  CPU-ms each {(b[0] - a[0]) / due:.3f} | pg {(b[1] - a[1]) / due:.3f}  load {load()}",
        flush=True,
    )
    # one lone claim among all that wait, the best and the median of 15
    a = clock(server)
    began, got, calls_ = time.perf_counter(), 0, []
    while got < due:
        found = (await db.write(stages.admission.claim, utcnow(), 50)).calls
        if not found:
            break
        got += len(found)
        calls_ += found
    took = time.perf_counter() - began
    b = clock(server)
    print(
        f"{waiting:9} waiting: claim   {got / took:8.0f}/s  CPU-ms each {(b[0] - a[0]) / max(got, 1):.3f} | pg {(b[1] - a[1]) / max(got, 1):.3f}  ({got} of {due})",
        flush=True,
    )

    def close() -> None:
        from telealarm.models import CallRequest

        CallRequest.update(ended=utcnow(), settled=utcnow(), status=4).where(
            CallRequest.ended.is_null()
        ).execute()

    await db.write(close)
    # the raw routine
    made = await stages.alarm("8", start=utcnow() + timedelta(days=40))

    def raw_rows() -> None:
        alarm = Alarm.get_by_id(made)
        request = AlarmRequest.create(owner=alarm.owner_id, alarm=alarm, date=utcnow(), queue=77)
        multiply(request, due - 1)

    await db.write(raw_rows)
    a = clock(server)
    began, got = time.perf_counter(), 0

    def raw() -> int:
        rows = claim.oldest(AlarmRequest, utcnow(), 50, pending=AlarmStatus.PENDING)
        return len(claim.claim(rows, stages.holder, utcnow(), claimed=AlarmStatus.IN_PROCESS))

    while got < due and (n := await db.write(raw)):
        got += n
    took = time.perf_counter() - began
    b = clock(server)
    print(
        f"{waiting:9} waiting: raw     {got / took:8.0f}/s  CPU-ms each {(b[0] - a[0]) / max(got, 1):.3f} | pg {(b[1] - a[1]) / max(got, 1):.3f}",
        flush=True,
    )
    lone, planner, idle = [], [], []
    for n in range(15):
        await stages.alarm(f"9{n}{repeat}")
        await stages.planner.step()
        began = time.perf_counter()
        a = clock(server)
        (call,) = (await db.write(stages.admission.claim, utcnow(), 50)).calls
        b = clock(server)
        lone.append((time.perf_counter() - began) * 1000)
        await db.write(
            partial(calls.start, call, utcnow())
            if calls.start.__code__.co_argcount == 2
            else partial(
                calls.start,
                call,
                utcnow(),
                stages.composer._zone
                if hasattr(stages.composer, "_zone")
                else __import__("zoneinfo").ZoneInfo("UTC"),
            )
        )
        await stages.end(call)
        began = time.perf_counter()
        await stages.planner.step()
        planner.append((time.perf_counter() - began) * 1000)
        began = time.perf_counter()
        await db.write(stages.admission.claim, utcnow(), 50)
        idle.append((time.perf_counter() - began) * 1000)
    print(
        f"{waiting:9} waiting: a lone claim ms best {min(lone):.2f} median {statistics.median(lone):.2f};"
        f" planner step best {min(planner):.2f}; a claim of nothing best {min(idle):.2f}",
        flush=True,
    )


asyncio.run(main())
