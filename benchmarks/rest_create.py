"""P6: create an event and its alarm by REST, pairs a second and server CPU-ms a pair, beside peers.

Usage: python rest_create.py [--seconds 8] [--rounds 3] [--database sqlite|postgresql] [--peers-python PY]

Two POSTs a pair over kept connections, --clients at a time; each server is one process with its own
new database (SQLite file with synchronous=full, or the same PostgreSQL). Interleaved A B C D A B ...
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
from rig import HERE, LOGIN, DurablePostgres, cpu_ms, free_tcp_port, load, postgres_pid

from tests.lab.clinic import Clinic
from tests.lab.processes import Child
from tests.lab.rest import Rest
from tests.lab.serve import Serve as LabServe


class NoAsterisk:
    """TeleAlarm starts and serves its API while Asterisk is away."""

    def __init__(self, folder: Path) -> None:
        self.ari_url, self.ari_user, self.ari_password = (
            f"http://127.0.0.1:{free_tcp_port()}",
            "x",
            "x",
        )
        self.trunk, self.cdr_csv, self.prompts_dir = "trunk", folder / "cdr.csv", folder / "prompts"


async def pairs(
    base: str, body_event: dict, clients: int, seconds: float, headers: dict
) -> tuple[int, float]:
    """How many pairs in how many seconds."""
    done, errors = 0, 0
    until = time.perf_counter() + seconds
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as http:

        async def client(n: int) -> None:
            nonlocal done, errors
            while time.perf_counter() < until:
                start = datetime(2031, 1, 1, tzinfo=UTC) + timedelta(minutes=done % 500000)
                body = {
                    **body_event,
                    "start": start.isoformat(),
                    "end": (start + timedelta(minutes=30)).isoformat(),
                }
                async with http.post(f"{base}event/", json=body) as reply:
                    if reply.status != 201:
                        errors += 1
                        if errors < 4:
                            print("!", reply.status, (await reply.text())[:300])
                        continue
                    url = (await reply.json())["url"]
                alarm = {
                    "event": url,
                    "alarm_phonenumber": f"1{done:08}",
                    "method": 1,
                    "advance_notice": 3600,
                    "maxretry": 1,
                    "retry_delay": 60,
                }
                async with http.post(f"{base}alarm/", json=alarm) as reply:
                    if reply.status != 201:
                        errors += 1
                        if errors < 4:
                            print("!", reply.status, (await reply.text())[:300])
                        continue
                    await reply.read()
                done += 1

        began = time.perf_counter()
        await asyncio.gather(*(client(n) for n in range(clients)))
        return done, time.perf_counter() - began


async def up(url: str, child: Child) -> None:
    async with asyncio.timeout(60), aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(url) as reply:
                    if reply.status == 200:
                        return
            except (OSError, aiohttp.ClientError):
                pass
            if not child.running:
                raise RuntimeError(child.tail())
            await asyncio.sleep(0.1)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--database", default="sqlite")
    parser.add_argument("--peers-python", default="peers/bin/python")
    parser.add_argument("--only", default="telealarm,bare aiohttp,fastapi,drf")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="perf-rest-"))
    server = DurablePostgres() if given.database == "postgresql" else None
    if server:
        await asyncio.to_thread(server.start)
    only = given.only.split(",")
    targets: dict[str, tuple[str, int, dict]] = {}
    children: list[Child] = []
    serve = LabServe(NoAsterisk(folder), database=server.new_database() if server else None)
    try:
        await serve.user_add(*LOGIN)
        await serve.start()
        headers = {"Authorization": aiohttp.encode_basic_auth(*LOGIN)}
        async with Rest(serve.url, *LOGIN) as rest:
            clinic = Clinic(rest)
            await clinic.open(sms_url="http://127.0.0.1:9/")
        body = {
            "title": "Appointment",
            "creator": clinic._user,
            "calendar": clinic.calendar,
            "status": 1,
            "data": {"doc_name": "Doctor Smith", "apt_date": "half past ten"},
        }
        targets["telealarm"] = (f"{serve.url}/rest-api/", serve.pid, body)
        for name, script, form in (
            ("bare aiohttp", "peer_aiohttp.py", "{}"),
            ("fastapi", "peer_fastapi.py", "psycopg"),
            ("drf", "peer_drf.py", "{}"),
        ):
            if name not in only:
                continue
            port = free_tcp_port()
            if server:
                where = server.new_database()
                if form == "psycopg":
                    where = where.replace("postgresql:", "postgresql+psycopg:")
            else:
                where = f"sqlite:///{folder / script}.db"
            child = Child(
                [given.peers_python, HERE / script, str(port), where],
                folder / f"{script}.log",
                cwd=folder,
            )
            children.append(child)
            await up(f"http://127.0.0.1:{port}/healthz", child)
            targets[name] = (f"http://127.0.0.1:{port}/", child.pid, body)
        results: dict[str, list] = {}
        for n in range(given.rounds + 1):
            for name, (base, pid, body) in targets.items():
                pg = cpu_ms(postgres_pid(server), tree=True) if server else 0.0
                before = cpu_ms(pid, tree=True)
                done, took = await pairs(
                    base, body, given.clients, given.seconds if n else 1.5, headers
                )
                used = (cpu_ms(pid, tree=True) - before) / max(done, 1)
                pg = (
                    (cpu_ms(postgres_pid(server), tree=True) - pg) / max(done, 1) if server else 0.0
                )
                if n:  # the first round warms up
                    results.setdefault(name, []).append((done / took, used, pg))
                    print(
                        f"{name:14} {done / took:7.1f} pairs/s  {used:6.2f} CPU-ms a pair, PostgreSQL {pg:.2f}  load {load()}",
                        flush=True,
                    )
        print("\nmedians")
        for name, runs in results.items():
            a, b, c = (statistics.median(r[i] for r in runs) for i in range(3))
            print(f"{name:14} {a:7.1f} pairs/s  {b:6.2f} CPU-ms a pair, PostgreSQL {c:.2f}")
    finally:
        for child in children:
            await child.terminate(5)
        await serve.stop()
        if server:
            await asyncio.to_thread(server.stop)


asyncio.run(main())
