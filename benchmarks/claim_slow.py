"""Which statement of a claim grows with what waits: slowest statements of one Admission.claim.

Usage: python claim_slow.py [--waiting 500000] [--due 50]   (SQLite; fills as claims.py does)
"""

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from datetime import timedelta

import rig  # noqa: F401

from benchmarks.claim import multiply
from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.models import Alarm, AlarmRequest, User
from telealarm.store.open import open_database
from tests.integration.stages import Stages

parser = argparse.ArgumentParser()
parser.add_argument("--waiting", type=int, default=500_000)
parser.add_argument("--no-analyze", action="store_true")
parser.add_argument("--due", type=int, default=50)
given = parser.parse_args()


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        db = open_database(Config(database=f"sqlite:///{folder}/claim.db"))
        db.start()
        await db.write(lambda: User.create(username="manager", password_hash="-"))
        stages = await Stages.build(db)
        far = await stages.alarm("1", start=utcnow() + timedelta(days=30))

        def fill() -> None:
            alarm = Alarm.get_by_id(far)
            one = AlarmRequest.create(
                owner=alarm.owner_id, alarm=alarm, date=utcnow() + timedelta(days=1), queue=1000
            )
            multiply(one, given.waiting, queue="1000 + i - (i / 100) * 100")
            multiply(alarm, given.waiting)
            if not given.no_analyze:
                AlarmRequest._meta.database.execute_sql("ANALYZE")

        await db.write(fill)
        first = await stages.alarm("7", start=utcnow() + timedelta(seconds=-5))
        await db.write(
            lambda: multiply(Alarm.get_by_id(first), given.due - 1, alarm_phonenumber="'7' || i")
        )
        await stages.planner.step()
        times, counts = Counter(), Counter()
        real = db.peewee.execute_sql

        def timed(sql, params=None):
            began = time.process_time()
            cursor = real(sql, params)
            if "RECURSIVE" in sql:
                LAST[:] = [(sql, params)]
            key = sql[:60] + " ... " + sql[-150:]
            times[key] += time.process_time() - began
            counts[key] += 1
            return cursor

        db.peewee.execute_sql = timed
        began = time.process_time()
        found = (await db.write(stages.admission.claim, utcnow(), 50)).calls
        print(
            f"{len(found)} claimed, {(time.process_time() - began) * 1000:.0f} CPU-ms; in execute: {sum(times.values()) * 1000:.0f}"
        )
        for key, spent in times.most_common(8):
            print(f"{spent * 1000:8.1f} ms {counts[key]:4}  {key}")
        db.peewee.execute_sql = real
        for line in (
            await db.read(
                lambda: [
                    db.peewee.execute_sql(f"EXPLAIN QUERY PLAN {s}", p).fetchall() for s, p in LAST
                ]
            )
            if LAST
            else []
        ):
            for step in line:
                print("   plan:", step[-1])
        await db.close()


LAST: list = []
if __import__("os").environ.get("VARIANT_PATCH"):
    __import__("patch_turns").apply()
asyncio.run(main())
