"""P3 under load: how late INVITEs leave, a crowd at a capped trunk, and a neighbour during a blast.

Usage: python lateness.py [--alarms 1000] [--cap 50] [--blast 10000] [--database sqlite|postgresql] [--answer]

1. `--alarms` alarms due in the same second through a trunk capped at `--cap`: lateness of each INVITE
   against the ideal due + n/cap; caps kept (any 1 s window) and used (P8).
2. `--blast` alarms of one calendar due at T through the capped trunk, and one alarm of a neighbour's
   calendar (same trunk) due every 2 s from T+2 on: the lateness of the neighbour's INVITEs.
INVITEs are timed where they reach the network (a UDP socket in this process that answers 404).
"""

import argparse
import asyncio
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

from rig import LOGIN, SCRIPT, DurablePostgres, Ours, Serve, cpu_ms, load, number_of

from benchmarks.pace import fullest
from tests.lab.asterisk import Asterisk
from tests.lab.clinic import Clinic
from tests.lab.exchange import Exchange
from tests.lab.rest import Rest


class Quick(Exchange):
    """The lab's network looks through all INVITEs for each; here a set remembers them."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def _note(self, lines, number) -> None:
        call_id = next(l for l in lines if l.lower().startswith("call-id:"))
        if call_id not in self.seen:
            self.seen.add(call_id)
            kept, self.invites = self.invites, []
            super()._note(lines, number)
            kept += self.invites
            self.invites = kept


def pct(values: list[float], *points: int) -> str:
    values = sorted(values)
    return (
        "  ".join(
            f"p{p} {values[min(len(values) - 1, len(values) * p // 100)]:.0f}" for p in points
        )
        + f"  most {values[-1]:.0f} ms"
    )


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alarms", type=int, default=1000)
    parser.add_argument("--cap", type=float, default=50)
    parser.add_argument("--blast", type=int, default=10000)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--database", default="sqlite")
    given = parser.parse_args()
    async with AsyncExitStack() as stack:
        exchange = Quick()
        await exchange.start()
        asterisk = Asterisk(exchange.port)
        asterisk.configure("logger.conf", lambda _: "[general]\n[logfiles]\nconsole = error\n")
        await asterisk.start()
        stack.push_async_callback(asterisk.stop)
        server = None
        if given.database == "postgresql":
            server = DurablePostgres()
            await asyncio.to_thread(server.start)
            stack.push_async_callback(asyncio.to_thread, server.stop)
        serve = Serve(asterisk, database=server.new_database() if server else None)
        stack.push_async_callback(serve.stop)
        await serve.user_add(*LOGIN)
        await serve.start()
        await serve.ready()
        rest = await stack.enter_async_context(Rest(serve.url, *LOGIN))
        clinic = Clinic(rest)
        await clinic.open(sms_url="http://127.0.0.1:9/", script=SCRIPT)
        gateway = (await rest.results("gateway/"))[0]
        await rest.patch(gateway["url"], {"calls_per_second": given.cap})
        service = Ours(serve, clinic)
        if given.alarms:
            due = datetime.fromtimestamp(time.time() + 8, UTC)
            await service.fill(given.alarms, due, prefix="1")
            await asyncio.sleep(max(0, due.timestamp() - 1 - time.time()))
            before = cpu_ms(serve.pid)
            until = due.timestamp() + given.alarms / given.cap + given.seconds
            while (
                sum(i.number.startswith("1") for i in exchange.invites) < given.alarms
                and time.time() < until
            ):
                await asyncio.sleep(0.2)
            mine = [i for i in exchange.invites if i.number.startswith("1") and len(i.number) == 8]
            late = [
                1000 * (i.at - due).total_seconds() - 1000 * n / given.cap
                for n, i in enumerate(mine)
            ]
            times = sorted(i.monotonic for i in mine)
            took = times[-1] - times[0]
            print(
                f"crowd: {len(mine)} INVITEs in {took:.1f} s, {(len(mine) - 1) / took / given.cap:.1%} of the cap, at most {fullest(times)} in a second;"
                f" the first {1000 * (mine[0].at - due).total_seconds():.0f} ms after due; behind the ideal: {pct(late, 50, 99)};"
                f" service {(cpu_ms(serve.pid) - before) / len(mine):.2f} CPU-ms a call  load {load()}",
                flush=True,
            )
            await asyncio.sleep(3)
        if given.blast:
            neighbour = Clinic(rest)
            neighbour.setting, made = clinic.setting, None
            user = await rest.post(
                "calendar-user/",
                {"username": "neighbour", "password": "caluser3", "email": "n@example.com"},
            )
            neighbour._user = user["url"]
            await rest.patch(
                f"calendar-user-profile/{number_of(user['url'])}/",
                {"calendar_setting": str(number_of(clinic.setting))},
            )
            made = await rest.post(
                "calendar/", {"name": "neighbour", "max_concurrent": "0", "user": user["url"]}
            )
            neighbour.calendar = made["url"]
            seconds = min(given.seconds, 60)
            lead = 12 + given.blast / 1200
            start = time.time() + lead
            moments = []
            for n in range(int(seconds / 2) - 1):
                at = start + 2 + 2 * n
                one = await neighbour.appointment(f"3{n:07}", due_in=at - time.time(), maxretry=0)
                event = await rest.get(one.event)
                moments.append(
                    (f"3{n:07}", datetime.fromisoformat(event["start"]) - timedelta(days=1))
                )
            due = datetime.fromtimestamp(start, UTC)
            await service.fill(given.blast, due, prefix="2")
            print(f"blast: filled {start - time.time():.1f} s before it is due", flush=True)
            before = cpu_ms(serve.pid)
            await asyncio.sleep(max(0, start + seconds + 2 - time.time()))
            at = {i.number: i for i in exchange.invites}
            late = [
                1000 * (at[number].at - due).total_seconds()
                for number, due in moments
                if number in at
            ]
            blast = sorted(i.monotonic for i in exchange.invites if i.number.startswith("2"))
            print(
                f"blast of {given.blast}: {len(blast)} left in {seconds} s ({len(blast) / max(blast[-1] - blast[0], 0.1):.1f}/s), at most {fullest(blast)} in a second;"
                f" first {1000 * (min(i.at for i in exchange.invites if i.number.startswith('2')) - due).total_seconds():.0f} ms after due"
            )
            print(
                f"neighbour: {len(late)} of {len(moments)} rung, lateness {pct(late, 50, 90, 99)}; service {cpu_ms(serve.pid) - before:.0f} CPU-ms  load {load()}"
            )


asyncio.run(main())
