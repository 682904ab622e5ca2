"""How long the first page of a list of events takes: of a thousand, and of a million.

Usage: python -m benchmarks.lists [--events N] [--database sqlite|postgresql|URL]

Without Asterisk. Prints milliseconds: the first request, which counts the list, and the median of
those after it, which never wait for a count.
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

ROUNDS = 30
QUERIES = (
    "event/",
    "event/?ordering=-start",
    "event/?start__gte=2030-01-01 12:00&ordering=start",
    "event/?page=9",
    "event/?status=1",
    "event/?status=3",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--events", type=int, default=1_000_000, help="of the long list")
    databases.add_option(parser)
    asyncio.run(run(parser.parse_args()))


async def run(given: argparse.Namespace) -> None:
    async with databases.databases(given.database) as storage:
        config = Config(database=storage.new(), key_file=key_file())
        db = open_database(config)
        db.start()
        try:
            await measure(db, config, {"small": 1000, "large": given.events})
        finally:
            await db.close()


async def measure(db: Database, config: Config, owners: dict[str, int]) -> None:
    """Make each owner's events, and print the times of their lists side by side."""
    for name, count in owners.items():
        started = time.perf_counter()
        await db.write(fill, name, count)
        print(f"{name}: {count} events, written in {time.perf_counter() - started:.1f} s")

    async def ready() -> dict[str, str]:
        return {}

    app = make_app(db, config, readiness=ready, prompts=Path())
    print(f"{'milliseconds':52}" + "".join(f"{name + ' 1st':>12}{name:>10}" for name in owners))
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        for query in QUERIES:
            line = f"{query:52}"
            for name in owners:
                auth = {"Authorization": aiohttp.encode_basic_auth(name, PASSWORD)}
                address = server.make_url("/rest-api/users/1/")
                await session.get(address, headers=auth)  # the login is remembered from here on
                times = [
                    await timed(session, f"{server.make_url('/rest-api/')}{query}", auth)
                    for _ in range(ROUNDS)
                ]
                line += f"{times[0]:12.1f}{statistics.median(times[1:]):10.1f}"
            print(line)


async def timed(session: aiohttp.ClientSession, address: str, headers: dict[str, str]) -> float:
    """Milliseconds of one request."""
    started = time.perf_counter()
    async with session.get(address, headers=headers) as reply:
        await reply.read()
        reply.raise_for_status()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
