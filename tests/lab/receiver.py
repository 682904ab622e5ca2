"""A program that is told by webhooks: a real HTTP server that also can be slow, broken or gone."""

import asyncio
import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.lab.ports import HOST


@dataclass(frozen=True)
class Told:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def type(self) -> str:
        found: str = self.json["type"]
        return found


class Receiver:
    """Answers every request with `status` and `headers`, after `delay` seconds.

    `silent`: it never answers. `endless`: the body of its answer does not end. `on_told` is called
    before the answer. Has `most` requests at a time.
    """

    def __init__(self, host: str = HOST) -> None:
        self._host = host
        self.status = 200
        self.headers: dict[str, str] = {}
        self.delay = 0.0
        self.silent = False
        self.endless = False
        self.on_told: Callable[[], None] = lambda: None
        self.told: list[Told] = []
        self.most = 0
        self._now = 0
        self._runner: web.AppRunner | None = None

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, 0, ssl_context=tls).start()

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    @property
    def port(self) -> int:
        assert self._runner, "the receiver is not started"
        found: int = self._runner.addresses[0][1]
        return found

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self.port}/hook"

    def types(self) -> list[str]:
        return [told.type for told in self.told]

    async def _take(self, request: web.Request) -> web.StreamResponse:
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            return await self._answer(request)
        finally:
            self._now -= 1

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        told = Told(request.method, request.path, headers, await request.read())
        self.told.append(told)
        await asyncio.sleep(self.delay)
        if self.silent:
            await asyncio.Event().wait()
        self.on_told()
        if not self.endless:
            return web.Response(status=self.status, headers=self.headers, text="told")
        stream = web.StreamResponse(status=self.status)
        await stream.prepare(request)
        while True:
            await stream.write(b"x" * 65536)
