"""Two processes on one database, and a crash: a keyed POST still is carried out once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from telealarm.config.model import Config
from tests.integration.test_cli import Running, telealarm, write
from tests.lab.speed import limit

pytestmark = pytest.mark.long

LOGIN = aiohttp.encode_basic_auth("ann", "a long secret")
KEYS = [f"key {number}" for number in range(25)]


@pytest.fixture
async def pair(config: Config, tmp_path: Path) -> AsyncIterator[list[Running]]:
    """Two services on one database, with the superuser ann."""
    running: list[Running] = []
    try:
        for name in ("one", "two"):
            folder = tmp_path / name
            folder.mkdir()
            path = write(
                folder,
                database=config.database,
                key_file=str(config.key_path),
                worker={"name": name},
                log={"level": "debug"},
            )
            if not running:
                words = ("user", "add", "ann", "--superuser", "--password-stdin")
                done = await asyncio.to_thread(
                    telealarm, *words, "--config", str(path), stdin="a long secret\n"
                )
                assert done.returncode == 0, done.stderr
            running.append(Running(path, folder))
        for one in running:
            await one.up()
        yield running
    finally:
        for one in running:
            await one.child.terminate(10)


class Client:
    """Posts survey templates, and asks how many there are."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def post(self, service: Running, key: str) -> tuple[int, Any]:
        """Status and body; status 0 where the connection broke."""
        headers = {"Authorization": LOGIN, "Idempotency-Key": key}
        address = f"{service.url}/rest-api/survey-template/"
        try:
            async with self._http.post(address, json={"name": key}, headers=headers) as reply:
                return reply.status, await reply.json()
        except aiohttp.ClientError:
            return 0, None

    async def post_until_made(self, service: Running, key: str) -> int:
        """The id of what was made, asking again while another is at it."""
        async with asyncio.timeout(limit(20)):
            while True:
                status, body = await self.post(service, key)
                if status == 201:
                    return int(body["url"].rstrip("/").rsplit("/", 1)[1])
                assert status == 409, body

    async def names(self, service: Running) -> list[str]:
        address = f"{service.url}/rest-api/survey-template/?page_size=1000"
        async with self._http.get(address, headers={"Authorization": LOGIN}) as reply:
            return [row["name"] for row in (await reply.json())["results"]]


async def test_two_processes_carry_a_post_out_once(pair: Sequence[Running]) -> None:
    async with aiohttp.ClientSession() as http:
        client = Client(http)
        posts = [client.post_until_made(one, key) for key in KEYS for one in (*pair, *pair)]
        made = await asyncio.gather(*posts)
        assert len(set(made)) == len(KEYS)
        assert sorted(await client.names(pair[0])) == sorted(KEYS)


async def test_after_a_crash_the_other_process_makes_what_is_missing_and_no_more(
    pair: Sequence[Running],
) -> None:
    async with aiohttp.ClientSession() as http:
        client = Client(http)
        first = [asyncio.create_task(client.post(pair[0], key)) for key in KEYS]
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        await pair[0].child.kill()
        answered = [body["name"] for status, body in await asyncio.gather(*first) if status == 201]
        assert set(answered) <= set(await client.names(pair[1]))
        await asyncio.gather(*(client.post_until_made(pair[1], key) for key in KEYS))
        assert sorted(await client.names(pair[1])) == sorted(KEYS)


async def test_no_hash_is_logged_even_where_everything_is(pair: Sequence[Running]) -> None:
    async with aiohttp.ClientSession(headers={"Authorization": LOGIN}) as http:
        body = {"username": "bob", "password": "a secret too"}
        async with http.post(f"{pair[0].url}/rest-api/users/", json=body) as reply:
            assert reply.status == 201
    await pair[0].child.terminate()
    log = pair[0].log.read_text()
    assert "DEBUG" in log
    for secret in ("argon2id", "a long secret", "a secret too"):
        assert secret not in log
