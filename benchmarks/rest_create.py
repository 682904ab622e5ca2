"""Events with their alarm, created by REST: pairs a second and CPU a pair, beside peers.

Usage: python -m benchmarks.rest_create [--seconds N] [--rounds N] [--only NAMES] [--database KIND]

Two POSTs a pair over kept connections, --clients at a time. Each server is one process with a new
database of its own (SQLite with synchronous=full, or one in the same PostgreSQL). The servers take
turns in each round. The peers are benchmarks/peers/rest_*.py; `benchmarks/peers.sh` makes their
virtual environment. `--only telealarm` needs none.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import aiohttp

from benchmarks.lab import databases, peers
from benchmarks.lab.databases import Databases
from benchmarks.lab.meters import cpu_ms, load
from benchmarks.lab.service import LOGIN, SMS_URL
from tests.lab.asterisk import Asterisk
from tests.lab.clinic import Clinic
from tests.lab.ports import HOST, free_tcp_port
from tests.lab.processes import Child
from tests.lab.rest import JSON, Rest
from tests.lab.serve import Serve

# Name, module, and whether it runs in the peers' environment.
PEERS = {
    "aiohttp": ("benchmarks.peers.rest_aiohttp", False),
    "fastapi": ("benchmarks.peers.rest_fastapi", True),
    "django": ("benchmarks.peers.rest_django", True),
}
WARM_UP_SECONDS = 1.5
START_SECONDS = 60.0


@dataclass(frozen=True)
class Server:
    """Where to POST event/ and alarm/, and which process answers."""

    url: str
    pid: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=8, help="of each server in each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=16, help="that ask at the same time")
    parser.add_argument("--only", default=f"telealarm,{','.join(PEERS)}", help="which servers")
    peers.add_option(parser)
    databases.add_option(parser)
    asyncio.run(run(**vars(parser.parse_args())))


async def run(
    *, seconds: float, rounds: int, clients: int, only: str, peers_python: Path, database: str
) -> dict[str, list[float]]:
    """Return the pairs a second of each server in each round."""
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(databases.databases(database))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-rest-")))
        telealarm, event = await start_telealarm(stack, storage, folder)
        servers = {"telealarm": telealarm}
        for name in PEERS:
            if name in only.split(","):
                servers[name] = await start_peer(stack, storage, folder, name, peers_python)
        results = await measure(storage, servers, event, rounds, Load(clients, seconds))
    print("\nmedians")
    for name, runs in results.items():
        show(name, *(statistics.median(run[n] for run in runs) for n in range(3)))
    return {name: [run[0] for run in runs] for name, runs in results.items()}


class NoAsterisk:
    """Stands for an Asterisk that is away: TeleAlarm starts and serves its API all the same."""

    def __init__(self, folder: Path) -> None:
        self.ari_url, self.ari_user, self.ari_password = (
            f"http://{HOST}:{free_tcp_port()}",
            "x",
            "x",
        )
        self.trunk, self.cdr_csv, self.prompts_dir = "trunk", folder / "cdr.csv", folder / "prompts"


async def start_telealarm(
    stack: AsyncExitStack, storage: Databases, folder: Path
) -> tuple[Server, JSON]:
    """Return the server, and the body of an event for its clinic."""
    process = Serve(cast("Asterisk", NoAsterisk(folder)), database=storage.new())
    stack.push_async_callback(process.stop)
    await process.user_add(*LOGIN)
    await process.start()
    async with Rest(process.url, *LOGIN) as rest:
        clinic = Clinic(rest)
        await clinic.open(sms_url=SMS_URL)
    event = {
        "title": "Appointment",
        "creator": clinic._user,
        "calendar": clinic.calendar,
        "status": 1,
        "data": {"doc_name": "Doctor Smith", "apt_date": "half past ten"},
    }
    return Server(f"{process.url}/rest-api/", process.pid), event


async def start_peer(
    stack: AsyncExitStack, storage: Databases, folder: Path, name: str, peers_python: Path
) -> Server:
    module, is_foreign = PEERS[name]
    python = peers.program(peers_python) if is_foreign else Path(sys.executable)
    port = free_tcp_port()
    argv: list[str | Path] = [python, "-m", module, str(port), storage.new()]
    child = Child(argv, folder / f"{name}.log", cwd=folder, env=peers.environment())
    stack.push_async_callback(child.terminate, 5)
    url = f"http://{HOST}:{port}/"
    async with asyncio.timeout(START_SECONDS), aiohttp.ClientSession() as http:
        while not await is_up(http, f"{url}healthz"):
            if not child.running:
                raise RuntimeError(child.tail())
            await asyncio.sleep(0.1)
    return Server(url, child.pid)


async def is_up(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url) as reply:
            return reply.status == 200
    except (OSError, aiohttp.ClientError):
        return False


@dataclass(frozen=True)
class Load:
    """So many clients ask at the same time, for so many seconds."""

    clients: int
    seconds: float


async def measure(
    storage: Databases, servers: dict[str, Server], event: JSON, rounds: int, asked: Load
) -> dict[str, list[tuple[float, float, float]]]:
    """Return each server's pairs a second, and CPU milliseconds a pair of it and of PostgreSQL."""
    results: dict[str, list[tuple[float, float, float]]] = {}
    for turn in range(rounds + 1):
        for name, server in servers.items():
            before, database = cpu_ms(server.pid, tree=True), storage.cpu_ms()
            seconds = asked.seconds if turn else WARM_UP_SECONDS
            count, took = await pairs(server.url, event, asked.clients, seconds)
            cpu = (cpu_ms(server.pid, tree=True) - before) / max(count, 1)
            database = (storage.cpu_ms() - database) / max(count, 1)
            if turn:  # the first one warms up
                results.setdefault(name, []).append((count / took, cpu, database))
                show(name, count / took, cpu, database)
    return results


def show(name: str, rate: float, cpu: float, database: float) -> None:
    print(
        f"{name:14} {rate:7.1f} pairs/s  {cpu:6.2f} CPU-ms a pair, PostgreSQL {database:.2f}"
        f"  load {load()}",
        flush=True,
    )


async def pairs(url: str, event: JSON, clients: int, seconds: float) -> tuple[int, float]:
    """Return how many pairs were created, in how many seconds. AssertionError if one is refused."""
    count = 0
    started = time.perf_counter()
    headers = {"Authorization": aiohttp.encode_basic_auth(*LOGIN)}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as http:

        async def client() -> None:
            nonlocal count
            while time.perf_counter() < started + seconds:
                await create_pair(http, url, event, count)
                count += 1

        await asyncio.gather(*(client() for _ in range(clients)))
    return count, time.perf_counter() - started


async def create_pair(http: aiohttp.ClientSession, url: str, event: JSON, n: int) -> None:
    start = datetime(2031, 1, 1, tzinfo=UTC) + timedelta(minutes=n % 500_000)
    end = start + timedelta(minutes=30)
    created = await post(
        http, f"{url}event/", {**event, "start": start.isoformat(), "end": end.isoformat()}
    )
    alarm = {
        "event": created["url"],
        "alarm_phonenumber": f"1{n:08}",
        "method": 1,
        "advance_notice": 3600,
        "maxretry": 1,
        "retry_delay": 60,
    }
    await post(http, f"{url}alarm/", alarm)


async def post(http: aiohttp.ClientSession, url: str, body: JSON) -> JSON:
    async with http.post(url, json=body) as reply:
        if reply.status != 201:
            raise AssertionError(f"{url}: {reply.status}: {(await reply.text())[:300]}")
        answer: JSON = await reply.json()
        return answer


if __name__ == "__main__":
    main()
