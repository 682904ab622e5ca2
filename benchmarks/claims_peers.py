"""Peers of P4 on a PostgreSQL of their own kind: procrastinate and APScheduler 4.

Usage: peers/bin/python claims_peers.py postgresql://... [--waiting 10000,1000000] [--due 2000]
       (claims_peers.py --start starts the lab's PostgreSQL itself; needs TELEALARM_REPO and psycopg)

Fetches due jobs among `waiting` that are not due. procrastinate: JobManager.fetch_job, one after the
other, and ten workers at a time. APScheduler: acquire_schedules of due schedules 100 at a time among
`waiting` schedules, and acquire_jobs 50 at a time. Prints fetched/s and CPU-ms each (Python only).
"""

import argparse
import asyncio
import time
from datetime import UTC, datetime, timedelta

import psycopg

PARSER = argparse.ArgumentParser()
PARSER.add_argument("url", nargs="?")
PARSER.add_argument("--waiting", default="10000,1000000")
PARSER.add_argument("--due", type=int, default=2000)


async def procrastinate_part(url: str, waitings: list[int], due: int) -> None:
    import procrastinate
    from procrastinate.manager import JobManager

    connector = procrastinate.PsycopgConnector(conninfo=url)
    app = procrastinate.App(connector=connector)
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        manager: JobManager = app.job_manager
        there = 0
        sql = (
            "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args, status, scheduled_at)"
            " SELECT 'default', 'ring', 0, '{\"alarm\": 1}'::jsonb, 'todo', now() + %s FROM generate_series(1, %s)"
        )
        worker = None
        if hasattr(manager, "register_worker"):
            worker = await manager.register_worker()
        for waiting in waitings:
            with psycopg.connect(url, autocommit=True) as db:
                db.execute(sql, (timedelta(days=1), waiting - there))
                db.execute("ANALYZE")
            there = waiting
            for workers in (1, 10):
                with psycopg.connect(url, autocommit=True) as db:
                    db.execute(sql, (timedelta(seconds=-1), due))
                began, cpu = time.perf_counter(), time.process_time()
                got = 0
                until = began + 20

                async def fetch() -> None:
                    nonlocal got
                    while time.perf_counter() < until:
                        job = await (
                            manager.fetch_job(queues=None, worker_id=worker)
                            if worker is not None
                            else manager.fetch_job(queues=None)
                        )
                        if job is None:
                            return
                        got += 1

                await asyncio.gather(*(fetch() for _ in range(workers)))
                took = time.perf_counter() - began
                print(
                    f"procrastinate {procrastinate.__version__ if hasattr(procrastinate, '__version__') else ''} {waiting:9} waiting, {workers:2} at a time: {got / took:8.1f}/s  CPU-ms each {(time.process_time() - cpu) * 1000 / max(got, 1):.2f} ({got})",
                    flush=True,
                )
                with psycopg.connect(url, autocommit=True) as db:
                    db.execute("DELETE FROM procrastinate_jobs WHERE scheduled_at < now()")


async def ring() -> None:
    pass


async def apscheduler_part(url: str, waitings: list[int], due: int) -> None:
    from apscheduler import AsyncScheduler, Job
    from apscheduler.datastores.sqlalchemy import SQLAlchemyDataStore
    from apscheduler.triggers.date import DateTrigger
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    store = SQLAlchemyDataStore(engine)
    async with AsyncScheduler(store) as scheduler:
        await scheduler.configure_task("ring", func=ring, max_running_jobs=1_000_000)
        soon = datetime.now(UTC) + timedelta(days=1)
        await scheduler.add_schedule("ring", DateTrigger(soon), id="far")
        there = 1
        with psycopg.connect(url) as db:
            columns = [
                r[0]
                for r in db.execute(
                    "SELECT column_name FROM information_schema.columns WHERE table_name='schedules' ORDER BY ordinal_position"
                )
            ]
            table = "schedules"
        others = [c for c in columns if c != "id"]

        def copy(count: int, prefix: str, when: str) -> None:
            changed = {"next_fire_time": when}
            names = ", ".join(f'"{c}"' for c in others)
            values = ", ".join(changed.get(c, f's."{c}"') for c in others)
            with psycopg.connect(url, autocommit=True) as db:
                db.execute(
                    f"INSERT INTO {table} (id, {names}) SELECT '{prefix}' || n, {values} FROM {table} s, generate_series(1, {count}) n WHERE s.id = 'far'"
                )
                db.execute("ANALYZE")

        with psycopg.connect(url) as db:
            kind = db.execute(
                "SELECT data_type FROM information_schema.columns WHERE table_name='schedules' AND column_name='next_fire_time'"
            ).fetchone()[0]
        past = (
            "extract(epoch from now() - interval '1 second') * 1000000"
            if kind == "bigint"
            else "now() - interval '1 second'"
        )
        for waiting in waitings:
            copy(waiting - there, f"w{waiting}-", 's."next_fire_time"')
            there = waiting
            copy(due, f"d{waiting}-", past)
            began, cpu, got = time.perf_counter(), time.process_time(), 0
            while got < due and time.perf_counter() < began + 20:
                # each time as another scheduler: one that asks again is given again what it has
                found = await store.acquire_schedules(f"bench{got}", timedelta(seconds=300), 100)
                if not found:
                    break
                got += len(found)
            took = time.perf_counter() - began
            print(
                f"APScheduler acquire_schedules {waiting:9} waiting: {got / took:8.1f}/s  CPU-ms each {(time.process_time() - cpu) * 1000 / max(got, 1):.2f} ({got})",
                flush=True,
            )
            with psycopg.connect(url, autocommit=True) as db:
                db.execute("DELETE FROM schedules WHERE id LIKE 'd%'")
        # jobs: what a worker acquires
        for _ in range(due):
            pass
        task = (await store.get_tasks())[0]
        began = time.perf_counter()
        for _n in range(due):
            await store.add_job(Job(task_id=task.id, executor=task.job_executor))
        print(f"APScheduler add_job {due / (time.perf_counter() - began):8.1f}/s", flush=True)
        began, cpu, got = time.perf_counter(), time.process_time(), 0
        while time.perf_counter() < began + 20:
            found = await store.acquire_jobs("bench", timedelta(seconds=300), 50)
            if not found:
                break
            got += len(found)
        took = time.perf_counter() - began
        print(
            f"APScheduler acquire_jobs: {got / took:8.1f}/s  CPU-ms each {(time.process_time() - cpu) * 1000 / max(got, 1):.2f} ({got})",
            flush=True,
        )


async def main() -> None:
    given = PARSER.parse_args()
    waitings = [int(w) for w in given.waiting.split(",")]
    with psycopg.connect(given.url, autocommit=True) as db:
        for name in ("peer_procrastinate", "peer_apscheduler"):
            db.execute(f"DROP DATABASE IF EXISTS {name}")
            db.execute(f"CREATE DATABASE {name}")
    base = given.url.rsplit("/", 1)[0]
    for part, name in (
        (procrastinate_part, "peer_procrastinate"),
        (apscheduler_part, "peer_apscheduler"),
    ):
        try:
            await part(f"{base}/{name}", waitings, given.due)
        except Exception as error:  # noqa: BLE001 - the other peer shall still be measured
            import traceback

            traceback.print_exc()
            print(f"{name} failed: {error!r}")


asyncio.run(main())
