"""kill -9 of the service again and again while phones ring: what was lost, what was doubled.

Run with a clone of the project as the working directory and its .venv's python:
    .venv/bin/python kill_matrix.py --alarms 300 --rate 4 --seed 1 [--postgres] [--workers 2] [--freeze 0.3]
A real Asterisk rings phones of one SIPp that answer, press 1 (again every 2 s) and wait. The service is
killed at random moments and started again at once. At the end every alarm is held against the network's
own count of INVITEs and the timeline. Prints one line of figures; exit 1 where anything was lost or doubled
without being told.
"""

import argparse
import asyncio
import collections
import random
import sys
import time
from contextlib import AsyncExitStack

sys.path.insert(0, ".")
from tests.lab.asterisk import Asterisk
from tests.lab.behaviours import Behaviour
from tests.lab.clinic import Clinic
from tests.lab.exchange import Exchange
from tests.lab.phone import Phone
from tests.lab.rest import Rest
from tests.lab.serve import Serve

LOGIN = ("killer", "correct horse battery")


async def main():
    p = argparse.ArgumentParser()
    p.add_argument("--alarms", type=int, default=200)
    p.add_argument("--rate", type=float, default=4.0)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--postgres", action="store_true")
    p.add_argument("--workers", type=int, default=1)
    p.add_argument(
        "--freeze",
        type=float,
        default=0.0,
        help="share of kills that freeze past the lease instead",
    )
    p.add_argument("--low", type=float, default=1.0)
    p.add_argument("--high", type=float, default=5.0)
    a = p.parse_args()
    rnd = random.Random(a.seed)
    async with AsyncExitStack() as stack:
        exchange = Exchange()
        await exchange.start()
        stack.push_async_callback(exchange.stop)
        asterisk = Asterisk(exchange.port)
        await asterisk.start()
        stack.push_async_callback(asterisk.stop)
        phone = await stack.enter_async_context(
            Phone(
                "100000", Behaviour(keys="1111111", first_key=1.0, between=2.0, info=True), exchange
            )
        )
        port = exchange._phones["100000"]
        database = None
        if a.postgres:
            from tests.lab.postgres import Postgres

            pg = Postgres()
            await asyncio.to_thread(pg.start)
            stack.callback(lambda: pg._child and pg._child.signal(2))
            database = pg.new_database()
        serve = Serve(asterisk, database=database, settings={"worker": {"lease_seconds": 10}})
        stack.push_async_callback(serve.stop)
        await serve.user_add(*LOGIN)
        await serve.start()
        workers = [serve]
        for i in range(1, a.workers):
            twin = serve.twin(f"lab{i}")
            stack.push_async_callback(twin.stop)
            await twin.start()
            workers.append(twin)
        rest = await stack.enter_async_context(Rest(serve.url, *LOGIN))
        clinic = Clinic(rest)
        await clinic.open(
            sms_url="http://127.0.0.1:9/",
            script="Good morning. Please press 1.",
            section={"timeout": 10, "retries": 2},
            setting={"call_timeout": 20},
        )
        numbers = [str(200000 + i) for i in range(a.alarms)]
        for n in numbers:
            exchange.plug(n, port)
        made, t0 = [], time.time()
        write = 0.15 * a.alarms + 5  # the first is due when all are written
        for i, n in enumerate(numbers):
            due = t0 + write + i / a.rate
            made.append(
                await clinic.appointment(
                    n,
                    due_in=due - time.time(),
                    maxretry=3,
                    retry_delay=2,
                    max_lateness=3600,
                    require_result=True,
                )
            )
        late = time.time() - (t0 + write)
        await asyncio.sleep(max(0, -late))
        kills, killed_calls, back, freezes = 0, 0, [], []
        end = t0 + write + a.alarms / a.rate
        while time.time() < end:
            await asyncio.sleep(rnd.uniform(a.low, a.high))
            try:
                live = (
                    (await asterisk.cli("core show channels count"))
                    .split(" active call")[0]
                    .split()[-1]
                )
                killed_calls += int(live)
            except Exception:
                pass
            who = rnd.choice(workers)
            kills += 1
            t = time.time()
            if rnd.random() < a.freeze:
                who.freeze()
                await asyncio.sleep(15)
                who.thaw()
                freezes.append(who.pid)
                if not who.running:
                    await who.start()
            else:
                await who.kill9()
                if a.workers > 1:
                    await asyncio.sleep(rnd.uniform(0, 14))
                await who.start()
            back.append(time.time() - t)
        wait = time.time() + 180
        rows = {}
        while time.time() < wait:
            rows = {}
            page = 1
            while True:
                r = await rest.get(f"alarm/?page_size=1000&page={page}")
                rows.update({x["alarm_phonenumber"]: x for x in r["results"]})
                if not r["next"]:
                    break
                page += 1
            if all(x["status"] not in (1, 2, 4) for x in rows.values()):
                break
            await asyncio.sleep(2)
        c = collections.Counter()
        bad = []
        log = collections.Counter(e.what for e in await phone.log())
        for m in made:
            x = rows[m.number]
            rings = len(exchange.calls_to(m.number))
            tl = await clinic.timeline(m)
            words = [w["what"] for w in tl]
            words.count("originate") - words.count("not_sent")
            c["terminal" if x["status"] not in (1, 2, 4) else "STUCK"] += 1
            c[f"status{x['status']}result{x['result']}"] += 1
            if rings == 0 and x["status"] == 5:
                c["SUCCESS_UNRUNG"] += 1
                bad.append((m.alarm, words))
            if rings == 0:
                c["unrung"] += 1
            if rings > 1:
                c["rung_again"] += 1
                why = " | ".join(f"{w['at'][14:23]} {w['what']} {w['why']}" for w in tl)
                if c["rung_again"] <= 6:
                    print("AGAIN", m.number, why)
                c[
                    "again_because_"
                    + next(
                        (w["why"].split(";")[0] for w in tl if w["what"] in ("retry", "redial")),
                        "?",
                    )
                ] += 1
                if not any(w in words for w in ("redial", "retry", "unknown", "failover")):
                    c["DOUBLE_UNTOLD"] += 1
                    bad.append((m.alarm, words))
                if "1" in [w["why"] for w in tl if w["what"] == "key"][:-1]:
                    c["RUNG_AFTER_KEY"] += 1
                    bad.append((m.alarm, words))
            if rings > words.count("originate"):
                c["INVITES_OVER_ORIGINATES"] += 1
                bad.append((m.alarm, rings, words))
            if "unknown" in words:
                c["unknown_window"] += 1
            if "adopted" in words:
                c["adopted"] += 1
            if x["status"] in (1, 2, 4):
                bad.append((m.alarm, words))
        for b in bad[:10]:
            print("BAD", b)
        print("phones", dict(log))
        print(
            f"alarms={a.alarms} workers={a.workers} kills={kills} freezes={len(freezes)} calls_in_flight_at_kills={killed_calls} restart_s={min(back):.1f}..{max(back):.1f} "
            + " ".join(f"{k}={v}" for k, v in sorted(c.items()))
        )
        sys.exit(1 if any(k.isupper() for k in c) else 0)


asyncio.run(main())
