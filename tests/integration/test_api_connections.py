"""Connections that keep the server waiting, and pages of other sites."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from telealarm.api import server
from telealarm.config.model import Config
from telealarm.store.engine.database import Database
from tests.integration.api_client import Api, serving
from tests.lab.speed import limit

Opened = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def half_sent(api: Api, stack: AsyncExitStack, count: int) -> list[Opened]:
    """Connections that each sent half a request's head."""
    opened = []
    for _ in range(count):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(api.origin.split(":")[2]))
        stack.callback(writer.close)
        writer.write(b"GET /rest-api/calendar/ HTTP/1.1\r\nHost: x\r\nX-A: ")
        opened.append((reader, writer))
    return opened


@pytest_asyncio.fixture
async def small(db: Database, config: Config, tmp_path: Path) -> AsyncIterator[Api]:
    """The API, with room for twenty connections."""
    async with serving(db, config, tmp_path, most=20) as api:
        yield api


async def test_half_sent_requests_keep_nobody_out(small: Api) -> None:
    async with AsyncExitStack() as stack:
        opened = await half_sent(small, stack, 100)
        assert (await small.get("calendar/")).status == 200
        # The oldest were closed for it.
        async with asyncio.timeout(limit(10)):
            assert await opened[0][0].read() == b""
        # One that completes its request in time is answered.
        reader, writer = opened[-1]
        writer.write(b"b\r\n\r\n")
        async with asyncio.timeout(limit(10)):
            assert (await reader.readline()).startswith(b"HTTP/1.1 401")


async def test_one_address_has_a_share_of_its_own(api: Api) -> None:
    async with AsyncExitStack() as stack:
        opened = await half_sent(api, stack, server.MOST_OF_ADDRESS + 5)
        assert (await api.get("calendar/")).status == 200
        async with asyncio.timeout(limit(10)):
            for reader, _ in opened[:5]:
                assert await reader.read() == b""


async def test_a_request_that_never_ends_is_closed_soon(
    db: Database, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "IDLE_SECONDS", 0.5)
    async with (
        serving(db, config, tmp_path) as api,
        AsyncExitStack() as stack,
        asyncio.timeout(limit(10)),
    ):
        for reader, _ in await half_sent(api, stack, 3):
            assert await reader.read() == b""


OWN = {"Sec-Fetch-Site": "same-origin", "Origin": "http://elsewhere.example"}
FOREIGN = (
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://127.0.0.1.evil.example"},
    {"Origin": "http://[half"},
    {"Origin": ""},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "{own}"},
)


@pytest.mark.parametrize("headers", FOREIGN)
async def test_a_page_of_another_site_cannot_write(api: Api, headers: dict[str, str]) -> None:
    headers = {name: value.replace("{own}", api.origin) for name, value in headers.items()}
    for path in ("dialing/pause/", "dialing/resume/", "survey-template/", "audio-files/"):
        for kind in ("text/plain", "application/json", None):
            sent = {**headers, **({"Content-Type": kind} if kind else {})}
            reply = await api.post(path, headers=sent, user="root", raw=b"" if not kind else b"{}")
            assert (reply.status, "another site" in reply.body["detail"]) == (403, True), path
    assert (await api.get("dialing/", user="root")).body["paused"] is False
    assert (await api.get("calendar/", headers=headers)).status == 200


async def test_our_own_pages_and_programs_write(api: Api) -> None:
    for headers in ({}, {"Origin": api.origin}, OWN, {"Sec-Fetch-Site": "none"}):
        reply = await api.post("survey-template/", {"name": f"{headers}"}, headers=headers)
        assert reply.status == 201, headers
