"""A small HTTP SMS gateway, as providers have them, that can be told to misbehave."""

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from aiohttp import web

from tests.lab.ports import HOST
from tests.lab.waiting import until

Mood = Literal["accept", "refuse", "fail", "hang", "break"]


@dataclass(frozen=True)
class Sms:
    """One message that the gateway took."""

    to: str
    sender: str
    text: str
    id: str
    at: datetime
    authorization: str


class SmsGateway:
    """Takes POST {"to", "from", "text", "id"} at `url` and answers {"id": ...}.

    `mood` is what it does with the next requests: accept (200), refuse (400), fail (500), hang
    (no answer at all), break (the connection is cut without an answer). `delay` is how long it
    thinks before that (seconds).
    """

    def __init__(self) -> None:
        self.mood: Mood = "accept"
        self.delay = 0.0
        self.messages: list[Sms] = []
        self.requests = 0
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/send", self._send)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    @property
    def url(self) -> str:
        assert self._runner, "the SMS gateway is not started"
        return f"http://{HOST}:{self._runner.addresses[0][1]}/send"

    def sent_to(self, number: str) -> list[Sms]:
        return [sms for sms in self.messages if sms.to == number]

    async def until(self, count: int, seconds: float = 15) -> list[Sms]:
        """The messages, as soon as there are `count` of them."""
        await until(lambda: len(self.messages) >= count, seconds, f"{count} SMS at the gateway")
        return self.messages

    async def _send(self, request: web.Request) -> web.Response:
        self.requests += 1
        await asyncio.sleep(self.delay)
        if self.mood == "hang":
            await asyncio.Event().wait()
        if self.mood == "break":
            if request.transport:
                request.transport.abort()
            return web.Response()
        if self.mood == "fail":
            return web.json_response({"error": "the gateway has a problem"}, status=500)
        try:
            sms = await self._read(request)
        except (json.JSONDecodeError, KeyError, TypeError) as problem:
            return web.json_response({"error": f"malformed: {problem!r}"}, status=400)
        if self.mood == "refuse":
            return web.json_response({"error": "no such number"}, status=400)
        self.messages.append(sms)
        return web.json_response({"id": f"sms-{len(self.messages)}"})

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
