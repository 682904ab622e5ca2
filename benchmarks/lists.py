"""How long the first page of a list of events takes: of a thousand, and of a million.

Usage: python -m benchmarks.lists [--events N] [--database sqlite|postgresql|URL]

Without Asterisk. Prints milliseconds: the first request, which counts the list, and the median of
those after it, which never wait for a count. The short and the long list take turns.
"""

import argparse
import asyncio
import statistics
import time
from pathlib import Path

import aiohttp
from aiohttp.test_utils import TestServer

from benchmarks.lab import databases
from benchmarks.lab.book import PASSWORD, fill
from telealarm.api.app import make_app
from telealarm.config.model import Config
from telealarm.store.engine.database import Database
from telealarm.store.open import open_database
from tests.lab.key import key_file

# Milliseconds of each request for the list of an owner, by name.
Times = dict[str, list[float]]

ROUNDS = 30
QUERIES = (
    "event/",
    "event/?ordering=-start",
    *(f"event/?start__gte=2030-01-01 {hour}:00&ordering=start" for hour in range(10, 15)),
    "event/?end__gte=2030-01-01 10:00",
    "event/?page=9",
    "event/?status=1",
    "event/?status=3",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--events", type=int, default=1_000_000, help="of the long list")
    databases.add_option(parser)
    asyncio.run(run(**vars(parser.parse_args())))


async def run(*, events: int, database: str) -> dict[str, Times]:
    """Return the times of each query."""
    async with databases.databases(database) as storage:
        config = Config(database=storage.new(), key_file=key_file())
        db = open_database(config)
        db.start()
        try:
            return await measure(db, config, {"small": 1000, "large": events})
        finally:
            await db.close()


async def measure(db: Database, config: Config, owners: dict[str, int]) -> dict[str, Times]:
    """Make each owner's events, and print the times of their lists side by side."""
    for name, count in owners.items():
        started = time.perf_counter()
        await db.write(fill, name, count)
        print(f"{name}: {count} events, written in {time.perf_counter() - started:.1f} s")

    async def ready() -> dict[str, str]:
        return {}

    app = make_app(db, config, readiness=ready, prompts=Path())
    logins = {name: {"Authorization": aiohttp.encode_basic_auth(name, PASSWORD)} for name in owners}
    found: dict[str, Times] = {}
    print(f"{'milliseconds':52}" + "".join(f"{name + ' 1st':>12}{name:>10}" for name in owners))
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        base = str(server.make_url("/rest-api/"))
        for login in logins.values():
            await timed(session, base, login)  # it is remembered from here on
        for query in QUERIES:
            times: Times = {name: [] for name in owners}
            for _ in range(ROUNDS):
                for name, login in logins.items():
                    times[name].append(await timed(session, base + query, login))
            found[query] = times
            print(f"{query:52}" + "".join(shown(some) for some in times.values()))
    return found


def shown(times: list[float]) -> str:
    return f"{times[0]:12.1f}{statistics.median(times[1:]):10.1f}"


async def timed(session: aiohttp.ClientSession, address: str, headers: dict[str, str]) -> float:
    """Milliseconds of one request."""
    started = time.perf_counter()
    async with session.get(address, headers=headers) as reply:
        await reply.read()
        reply.raise_for_status()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
