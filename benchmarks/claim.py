"""What a claim costs when nothing is due but one alarm: among a thousand that wait, and a million.

Usage: python -m benchmarks.claim [--waiting N] [--calendars N] [--database URL]

Prints milliseconds, the best of some claims of one due request, with so many requests waiting for
another day; beside it the plain query that a loop would ask, `ORDER BY date` over all that is
pending, and a million alarms that are not due for the planner's step. The database must be new; by
default it is an SQLite file that is removed afterwards.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable
from datetime import timedelta

from peewee import SqliteDatabase

from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.models import Alarm, AlarmRequest, BaseModel, User
from telealarm.store.dialing import calls
from telealarm.store.engine.claim import oldest
from telealarm.store.open import open_database
from telealarm.words import AlarmStatus
from tests.integration.stages import Stages

ROUNDS = 20
_SQLITE = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
_POSTGRESQL = "WITH n(i) AS (SELECT generate_series(1, {count}))"


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--waiting", type=int, default=1_000_000)
    parser.add_argument("--calendars", type=int, default=100)
    parser.add_argument("--database", help="like postgresql://user:password@host/name")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        db = open_database(Config(database=given.database or f"sqlite:///{folder}/claim.db"))
        db.start()
        try:
            await db.write(User.create, username="manager", password_hash="-")
            stages = await Stages.build(db)
            there = 0
            print(f"{'waiting':>10}{'claim':>8}{'plain query':>13}{'planner':>9}  milliseconds")
            for waiting in (1000, given.waiting):
                alarm_id = await stages.alarm("1", start=utcnow() + timedelta(days=30))
                await db.write(fill, alarm_id, waiting - there, given.calendars)
                there = waiting
                times = await measure(stages)
                print(f"{waiting:10}{times[0]:8.2f}{times[1]:13.2f}{times[2]:9.2f}")
        finally:
            await db.close()


def fill(alarm_id: int, count: int, calendars: int) -> None:
    """So many requests of tomorrow, in turn by calendar, and as many alarms that are not due."""
    alarm = Alarm.get_by_id(alarm_id)
    tomorrow = utcnow() + timedelta(days=1)
    request = AlarmRequest.create(owner=alarm.owner_id, alarm=alarm, date=tomorrow)
    multiply(request, count, queue=f"1000 + i % {calendars}")
    multiply(alarm, count)
    AlarmRequest._meta.database.execute_sql("ANALYZE")


def multiply(row: BaseModel, count: int, **changed: str) -> None:
    """So many copies of the row, by one statement; `changed` columns are expressions of i."""
    model = type(row)
    database = model._meta.database
    numbers = _SQLITE if isinstance(database, SqliteDatabase) else _POSTGRESQL
    columns = {f'"{f.column_name}"': changed.get(f.name) for f in model._meta.sorted_fields[1:]}
    copied = ", ".join(value or name for name, value in columns.items())
    table = f'"{model._meta.table_name}"'
    database.execute_sql(
        f"{numbers.format(count=count)} INSERT INTO {table} ({', '.join(columns)})"
        f" SELECT {copied} FROM {table}, n WHERE id = {row.id}"
    )


async def measure(stages: Stages) -> tuple[float, float, float]:
    """The best of some claims of one request, of the plain query, and of an idle planner."""
    claims, plain, planner = [], [], []
    for n in range(ROUNDS):
        await stages.alarm(f"7{n:04}")
        await stages.planner.step()
        now = utcnow()
        plain.append(
            await timed(stages.db.write(oldest, AlarmRequest, now, 50, pending=AlarmStatus.PENDING))
        )
        started = time.perf_counter()
        (call,) = (await stages.db.write(stages.admission.claim, now, 50)).calls
        claims.append((time.perf_counter() - started) * 1000)
        await stages.db.write(calls.start, call, now)
        await stages.end(call)
        planner.append(await timed(stages.planner.step()))
    return min(claims), min(plain), min(planner)


async def timed(work: Awaitable[object]) -> float:
    started = time.perf_counter()
    await work
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    asyncio.run(main())
