"""Peers of benchmarks.claim_rate: procrastinate and APScheduler 4 on PostgreSQL.

Usage: python -m benchmarks.peers.claims postgresql://... [--waiting N,N] [--due N]

benchmarks.claim_peers starts it. Fetches due jobs among `waiting` that are not due. procrastinate:
JobManager.fetch_job, one after the other, and ten workers at a time. APScheduler: acquire_schedules
of due schedules, 100 at a time, and acquire_jobs, 50 at a time. Prints how many a second, and CPU
milliseconds each of this process.
"""

import argparse
import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import procrastinate
import psycopg
from apscheduler import AsyncScheduler, Job
from apscheduler.datastores.sqlalchemy import SQLAlchemyDataStore
from apscheduler.triggers.date import DateTrigger
from sqlalchemy.ext.asyncio import create_async_engine

MOST_SECONDS = 20.0
LEASE = timedelta(seconds=300)
COLUMNS = (
    "SELECT column_name, data_type FROM information_schema.columns"
    " WHERE table_name = 'schedules' ORDER BY ordinal_position"
)
ADD_JOBS = (
    "INSERT INTO procrastinate_jobs"
    " (queue_name, task_name, priority, args, status, scheduled_at)"
    " SELECT 'default', 'ring', 0, '{\"alarm\": 1}'::jsonb, 'todo', now() + %s"
    " FROM generate_series(1, %s)"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("url", help="of a database whose server may be used")
    parser.add_argument("--waiting", default="10000,1000000", help="how many wait, in turn")
    parser.add_argument("--due", type=int, default=2000, help="how many come due")
    given = parser.parse_args()
    waiting = [int(count) for count in given.waiting.split(",")]
    asyncio.run(run_procrastinate(new_database(given.url, "procrastinate"), waiting, given.due))
    asyncio.run(run_apscheduler(new_database(given.url, "apscheduler"), waiting, given.due))


def new_database(url: str, name: str) -> str:
    """Return the URL of a new database on the server of `url`."""
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(f"DROP DATABASE IF EXISTS peer_{name}")
        db.execute(f"CREATE DATABASE peer_{name}")
    return f"{url.rsplit('/', 1)[0]}/peer_{name}"


class Meter:
    """Counts what is fetched from now on."""

    def __init__(self) -> None:
        self.count = 0
        self._started = time.perf_counter()
        self._cpu = time.process_time()

    def is_over(self) -> bool:
        return time.perf_counter() > self._started + MOST_SECONDS

    def show(self, name: str) -> None:
        seconds = time.perf_counter() - self._started
        cpu = (time.process_time() - self._cpu) * 1000 / max(self.count, 1)
        rate = self.count / seconds
        print(f"{name}: {rate:8.1f}/s  CPU-ms each {cpu:.2f} ({self.count})", flush=True)


async def run_procrastinate(url: str, waitings: list[int], due: int) -> None:
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        manager = app.job_manager
        worker = await manager.register_worker()
        present = 0
        for waiting in waitings:
            add_jobs(url, timedelta(days=1), waiting - present)
            present = waiting
            for workers in (1, 10):
                add_jobs(url, timedelta(seconds=-1), due)
                meter = Meter()
                await asyncio.gather(*(fetch(manager, worker, meter) for _ in range(workers)))
                meter.show(f"procrastinate {waiting:9} waiting, {workers:2} at a time")
                change(url, "DELETE FROM procrastinate_jobs WHERE scheduled_at < now()")


async def fetch(manager: Any, worker: int, meter: Meter) -> None:
    while not meter.is_over():
        if await manager.fetch_job(queues=None, worker_id=worker) is None:
            return
        meter.count += 1


def add_jobs(url: str, ahead: timedelta, count: int) -> None:
    change(url, ADD_JOBS, (ahead, count))
    change(url, "ANALYZE")


def change(url: str, sql: str, values: tuple[Any, ...] | None = None) -> None:
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(sql, values)


async def ring() -> None:
    """The task of the schedules; nothing runs it."""


async def run_apscheduler(url: str, waitings: list[int], due: int) -> None:
    engine = create_async_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    store = SQLAlchemyDataStore(engine)
    async with AsyncScheduler(store) as scheduler:
        await scheduler.configure_task("ring", func=ring, max_running_jobs=1_000_000)
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        await scheduler.add_schedule("ring", DateTrigger(tomorrow), id="far")
        present = 1
        for waiting in waitings:
            copy_schedule(url, waiting - present, f"w{waiting}-", is_due=False)
            present = waiting
            copy_schedule(url, due, f"d{waiting}-", is_due=True)
            await acquire_schedules(store, due, f"APScheduler schedules {waiting:9} waiting")
            change(url, "DELETE FROM schedules WHERE id LIKE 'd%'")
        await acquire_jobs(store, due)
    await engine.dispose()


def copy_schedule(url: str, count: int, prefix: str, *, is_due: bool) -> None:
    """Add copies of the schedule `far`, waiting as it does or due."""
    with psycopg.connect(url, autocommit=True) as db:
        kinds = dict(db.execute(COLUMNS).fetchall())
        del kinds["id"]
        past = "now() - interval '1 second'"
        if kinds["next_fire_time"] == "bigint":
            past = f"extract(epoch from {past}) * 1000000"
        values = [f's."{name}"' for name in kinds]
        if is_due:
            values[list(kinds).index("next_fire_time")] = past
        names = ", ".join(f'"{name}"' for name in kinds)
        db.execute(
            f"INSERT INTO schedules (id, {names}) SELECT '{prefix}' || n, {', '.join(values)}"
            f" FROM schedules s, generate_series(1, {count}) n WHERE s.id = 'far'"
        )
        db.execute("ANALYZE")


async def acquire_schedules(store: Any, due: int, name: str) -> None:
    meter = Meter()
    while meter.count < due and not meter.is_over():
        # Each time as another scheduler: one that asks again is given again what it has.
        schedules = await store.acquire_schedules(f"bench{meter.count}", LEASE, 100)
        if not schedules:
            break
        meter.count += len(schedules)
    meter.show(name)


async def acquire_jobs(store: Any, due: int) -> None:
    task = (await store.get_tasks())[0]
    meter = Meter()
    for _ in range(due):
        await store.add_job(Job(task_id=task.id, executor=task.job_executor))
        meter.count += 1
    meter.show("APScheduler add_job")
    meter = Meter()
    while not meter.is_over():
        jobs = await store.acquire_jobs("bench", LEASE, 50)
        if not jobs:
            break
        meter.count += len(jobs)
    meter.show("APScheduler acquire_jobs")


if __name__ == "__main__":
    main()
