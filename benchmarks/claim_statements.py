"""Which statements of a claim grow with what waits: the slowest ones of one claim of a crowd.

Usage: python -m benchmarks.claim_statements [--waiting N] [--due N] [--no-analyze]

SQLite, without Asterisk. Prints CPU milliseconds and how often each statement ran, the slowest
first, and SQLite's plan of the query that finds whose turn it is.
"""

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from benchmarks.lab import databases, rows
from benchmarks.lab.stages import open_stages
from telealarm.clock import utcnow
from telealarm.models import Alarm
from telealarm.store.engine.database import Database
from tests.integration.stages import Stages

SLOWEST = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--waiting", type=int, default=500_000, help="how many requests wait")
    parser.add_argument("--due", type=int, default=50, help="how many are due")
    parser.add_argument("--no-analyze", action="store_true", help="leave SQLite without statistics")
    asyncio.run(run(parser.parse_args()))


async def run(given: argparse.Namespace) -> None:
    async with databases.databases("sqlite") as storage, open_stages(storage.new()) as stages:
        await fill(stages, given)
        statements = Statements(stages.db)
        started = time.process_time()
        calls = (await stages.db.write(stages.admission.claim, utcnow(), 50)).calls
        spent = (time.process_time() - started) * 1000
        statements.stop()
        print(
            f"{len(calls)} claimed in {spent:.0f} CPU-ms,"
            f" {sum(statements.times.values()) * 1000:.0f} of them in statements"
        )
        for text, seconds in statements.times.most_common(SLOWEST):
            print(f"{seconds * 1000:8.1f} ms {statements.counts[text]:4}  {text}")
        for step in await stages.db.read(statements.plan_of_turns):
            print("   plan:", step)


async def fill(stages: Stages, given: argparse.Namespace) -> None:
    """Make what waits and what is due."""
    waits = await stages.alarm("1", start=utcnow() + timedelta(days=30))
    await stages.db.write(rows.add_waiting, waits, given.waiting, 100)
    if given.no_analyze:
        await stages.db.write(forget_statistics)
    first = await stages.alarm("7", start=utcnow() - timedelta(seconds=5))
    await stages.db.write(add_due, first, given.due - 1)
    await stages.planner.step()


def forget_statistics() -> None:
    database = Alarm._meta.database
    database.execute_sql("DELETE FROM sqlite_stat1")
    database.execute_sql("ANALYZE sqlite_schema")  # reads the table anew


def add_due(alarm_id: int, count: int) -> None:
    rows.multiply(Alarm.get_by_id(alarm_id), count, alarm_phonenumber="'7' || i")


class Statements:
    """The time of each statement of the database until `stop`."""

    def __init__(self, db: Database) -> None:
        self.times: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self._turns: tuple[str, Any] | None = None
        self._peewee = db.peewee
        self._execute = db.peewee.execute_sql
        db.peewee.execute_sql = self._timed  # type: ignore[method-assign]

    def stop(self) -> None:
        self._peewee.execute_sql = self._execute  # type: ignore[method-assign]

    def plan_of_turns(self) -> Sequence[str]:
        """Return the steps of SQLite's plan for the recursive query; reads."""
        if self._turns is None:
            return []
        sql, params = self._turns
        steps = self._peewee.execute_sql(f"EXPLAIN QUERY PLAN {sql}", params).fetchall()
        return [str(step[-1]) for step in steps]

    def _timed(self, sql: str, params: Any = None) -> Any:
        started = time.process_time()
        cursor = self._execute(sql, params)
        if "RECURSIVE" in sql:
            self._turns = (sql, params)
        text = f"{sql[:60]} ... {sql[-150:]}"
        self.times[text] += time.process_time() - started
        self.counts[text] += 1
        return cursor


if __name__ == "__main__":
    main()
