"""The source of a calendar feed: a real HTTP server with a file, and with awkward replies."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

from aiohttp import web

from tests.lab.ports import HOST

Awkward = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FeedSource:
    """Serves `text` with an ETag, and answers 304 to one who has it.

    `awkward` answers instead, if it is set. `asked` has the headers of each request.
    """

    def __init__(self) -> None:
        self.text = ""
        self.awkward: Awkward | None = None
        self.has_etag = True
        self.login: str | None = None
        self.asked: list[dict[str, str]] = []
        # Requests wait for it before they are answered.
        self.open = asyncio.Event()
        self.open.set()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    @property
    def port(self) -> int:
        assert self._runner, "the source is not started"
        found: int = self._runner.addresses[0][1]
        return found

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/secret-token/practice.ics"

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append({name.lower(): value for name, value in request.headers.items()})
        await self.open.wait()
        if self.awkward is not None:
            return await self.awkward(request)
        if self.login is not None and request.headers.get("Authorization") != self.login:
            return web.Response(status=401)
        headers = {}
        if self.has_etag:
            headers["ETag"] = f'"{hashlib.sha256(self.text.encode()).hexdigest()[:12]}"'
            if request.headers.get("If-None-Match") == headers["ETag"]:
                return web.Response(status=304, headers=headers)
        return web.Response(text=self.text, content_type="text/calendar", headers=headers)


def replies(status: int, text: str = "", **headers: str) -> Awkward:
    """One reply for all requests; `_` in the name of a header is a dash."""

    async def answer(request: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, text=text, headers=named)

    return answer


async def drips(request: web.Request) -> web.StreamResponse:
    """A reply of which a byte comes now and then, without end."""
    stream = web.StreamResponse()
    await stream.prepare(request)
    while True:
        await stream.write(b"x")
        await asyncio.sleep(0.05)


async def floods(request: web.Request) -> web.StreamResponse:
    """A reply of 100 MB, of which the length is not said."""
    stream = web.StreamResponse()
    await stream.prepare(request)
    for _ in range(1600):
        await stream.write(b"x" * 62_500)
    return stream
