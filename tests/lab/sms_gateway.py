"""A small HTTP SMS gateway, as providers have them, that can be told to misbehave."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from aiohttp import web

from tests.lab.ports import HOST
from tests.lab.waiting import until

Mood = Literal["accept", "refuse", "busy", "fail", "hang", "break", "swallow", "take_and_hang"]


@dataclass(frozen=True)
class Sms:
    """One message that the gateway took."""

    to: str
    sender: str
    text: str
    id: str
    at: datetime
    authorization: str


@dataclass(frozen=True)
class Raw:
    """A request as it came."""

    method: str
    query: dict[str, str]
    headers: dict[str, str]
    body: str


class SmsGateway:
    """Takes POST {"to", "from", "text", "id"} at `url` and answers {"id": ...}.

    `mood` is what it does with the next requests: accept (200), refuse (400), busy (429, to be left
    alone for `retry_after` seconds), fail (500), hang (no answer at all), break (the connection is
    cut without an answer), swallow (it takes the message, and cuts the connection), take_and_hang
    (it takes the message, and never says so). `delay` is how long it thinks before that (seconds),
    `told` what it does between taking a message and saying so, `words` what it says besides. At
    /raw it takes whatever comes. Stopped and started again, it has the same port and the same
    messages.
    """

    def __init__(self) -> None:
        self.mood: Mood = "accept"
        self.delay = 0.0
        self.retry_after = 0
        self.told: Callable[[str], Awaitable[object]] | None = None
        self.words: dict[str, str] = {}
        self.messages: list[Sms] = []
        self.raw: list[Raw] = []
        self.requests = 0
        self.at_once = self.most_at_once = 0
        self._port = 0
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/send", self._send)
        app.router.add_route("*", "/raw", self._raw)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self._port).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    @property
    def url(self) -> str:
        assert self._port, "the SMS gateway was never started"
        return f"http://{HOST}:{self._port}/send"

    def sent_to(self, number: str) -> list[Sms]:
        return [sms for sms in self.messages if sms.to == number]

    async def until(self, count: int, seconds: float = 15) -> list[Sms]:
        """The messages, as soon as there are `count` of them."""
        await until(lambda: len(self.messages) >= count, seconds, f"{count} SMS at the gateway")
        return self.messages

    async def _send(self, request: web.Request) -> web.Response:
        self.requests += 1
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            return await self._answer(request)
        finally:
            self.at_once -= 1

    async def _answer(self, request: web.Request) -> web.Response:
        await asyncio.sleep(self.delay)
        if self.mood == "hang":
            await asyncio.Event().wait()
        if self.mood == "break":
            if request.transport:
                request.transport.abort()
            return web.Response()
        if self.mood == "busy":
            wait = {"Retry-After": str(self.retry_after)}
            return web.json_response({"error": "too many"}, status=429, headers=wait)
        if self.mood == "fail":
            return web.json_response({"error": "the gateway has a problem"}, status=500)
        try:
            sms = await self._read(request)
        except (json.JSONDecodeError, KeyError, TypeError) as problem:
            return web.json_response({"error": f"malformed: {problem!r}"}, status=400)
        if self.mood == "refuse":
            return web.json_response({"error": "no such number"} | self.words, status=400)
        self.messages.append(sms)
        own_id = f"sms-{len(self.messages)}"
        if self.told:
            await self.told(own_id)
        if self.mood == "take_and_hang":
            await asyncio.Event().wait()
        if self.mood == "swallow" and request.transport:
            request.transport.abort()
        return web.json_response({"id": own_id} | self.words)

    async def _raw(self, request: web.Request) -> web.Response:
        body = await request.text()
        self.raw.append(Raw(request.method, dict(request.query), dict(request.headers), body))
        return web.json_response({})

    async def _read(self, request: web.Request) -> Sms:
        body = await request.json()
        return Sms(
            to=str(body["to"]),
            sender=str(body["from"]),
            text=str(body["text"]),
            id=str(body["id"]),
            at=datetime.now(UTC),
            authorization=request.headers.get("Authorization", ""),
        )
