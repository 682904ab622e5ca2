"""What every response says and does not say: no versions, and policies on each page."""

import asyncio
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from telealarm.api.app import make_app
from telealarm.api.public.probes import Health
from telealarm.config.model import Config
from telealarm.store.engine.database import Database
from tests.integration.api_client import Api, Served
from tests.lab.speed import limit

BROWSER = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
ASKED = (("GET", "root"), ("GET", None), ("POST", "root"), ("BREW", None))


def addresses(config: Config, db: Database, folder: Path) -> list[str]:
    """An address for each route of the application, and some that have no route."""

    async def readiness() -> Health:
        return Health({}, {})

    app = make_app(db, config, readiness=readiness, prompts=folder)
    found = {
        re.sub(r"\{[^}]*\}", "1", route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None
    }
    assert len(found) > 60
    return [*sorted(found), "/", "/nothing", "/rest-api/nothing/", "/rest-api", "/%00"]


def wrong(headers: Any) -> list[str]:
    """What is wrong with the headers of a response."""
    found = []
    if re.search(r"\d|python|aiohttp", headers.get("Server", "none at all: 0"), re.IGNORECASE):
        found.append(f"Server: {headers.get('Server')}")
    if headers.get("X-Content-Type-Options") != "nosniff":
        found.append("X-Content-Type-Options")
    if headers.get("Content-Type", "").split(";")[0] not in ("text/html", "image/svg+xml"):
        return found
    policy = headers.get("Content-Security-Policy", "")
    parts = {part.split()[0]: part.split()[1:] for part in policy.split(";") if part.strip()}
    if parts.get("default-src") != ["'none'"] or parts.get("frame-ancestors") != ["'none'"]:
        found.append(f"Content-Security-Policy: {policy}")
    if "'unsafe-inline'" in parts.get("script-src", []) or "base-uri" not in parts:
        found.append(f"Content-Security-Policy: {policy}")
    if headers.get("X-Frame-Options") != "DENY" or headers.get("Referrer-Policy") != "no-referrer":
        found.append("X-Frame-Options or Referrer-Policy")
    return found


async def test_every_route_has_them_for_a_browser_and_for_a_program(
    api: Api, config: Config, db: Database, tmp_path: Path
) -> None:
    seen, faults = set(), {}
    for path in addresses(config, db, tmp_path):
        for method, user in ASKED:
            reply = await api.send(method, f"{api.origin}{path}", user=user, headers=BROWSER)
            seen.add(reply.headers.get("Content-Type", "").split(";")[0])
            if found := wrong(reply.headers):
                faults[f"{method} {path}"] = found
    assert faults == {}
    assert {"text/html", "application/json", "text/plain"} <= seen


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA b: c\r\n\r\n", 400),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: " + b"a" * 9000 + b"\r\n\r\n", 400),
        (b"POST /rest-api/ HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST /rest-api/ HTTP/1.1\r\nHost: a\r\nExpect: cake\r\n\r\n", 417),
    ],
)
async def test_an_error_below_the_application_has_them_too(
    api: Api, raw: bytes, status: int
) -> None:
    host, port = api.origin.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(raw)
        async with asyncio.timeout(limit(20)):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
    finally:
        writer.close()
    assert int(head.split()[1]) == status
    lines = (line.partition(": ") for line in head.splitlines()[1:] if line)
    assert wrong({name: value for name, _, value in lines}) == []


async def test_a_page_of_an_unexpected_error_has_them(config: Config) -> None:
    """What aiohttp answers if a handler fails outside of the application's own net."""

    async def fail(request: web.Request) -> web.Response:
        raise RuntimeError("on purpose")

    app = web.Application()
    app.router.add_get("/", fail)
    async with (
        Served(app, config) as server,
        aiohttp.ClientSession() as session,
        session.get(server.make_url("/"), headers=BROWSER) as response,
    ):
        assert (response.status, response.content_type) == (500, "text/html")
        assert wrong(response.headers) == []
