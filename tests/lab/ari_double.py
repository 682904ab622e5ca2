"""A double of Asterisk's ARI, for the faults that a real Asterisk does not show on demand.

It speaks real HTTP and a real websocket on 127.0.0.1, but there is no telephone behind it: whatever
can be tested with the real one is tested with the real one.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

import aiohttp
from aiohttp import web
from yarl import URL

USER = "telealarm"
PASSWORD = "a:secret with spaces"


@dataclass(frozen=True)
class Fault:
    """How one request goes wrong: an answer of `status`, a connection that is reset, or both late.

    `acted` says whether the double does what was asked all the same.
    """

    status: int = 0
    message: str = ""
    delay_seconds: float = 0.0
    reset: bool = False
    acted: bool = False


@dataclass(frozen=True)
class Request:
    """A request as it arrived."""

    method: str
    path: str
    params: Mapping[str, str]
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    by_websocket: bool = False
    at: float = field(default_factory=time.monotonic)


class AriDouble:
    """`async with AriDouble() as ari:` listens at `ari.url` with the login USER, PASSWORD."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[Request] = []
        self.refuse_websocket = 0
        # Whether it takes orders by websocket, as Asterisk 22.4 does; an earlier one ignores them.
        self.takes_orders = False
        self._orders: set[asyncio.Task[None]] = set()
        self.connects: list[str] = []
        self.channels: dict[str, dict[str, Any]] = {}
        self.subscriptions: dict[str, list[str]] = {}
        self.unknown_sources: set[str] = set()
        self._variables: dict[tuple[str, str], str] = {}
        self._sockets: dict[str, web.WebSocketResponse] = {}
        self._transports: dict[str, asyncio.Transport] = {}
        self._faults: list[tuple[str, str, Fault]] = []
        self._runner: web.AppRunner

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/ari/events", self._events)
        app.router.add_route("*", "/ari/{path:.*}", self._rest)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        for app in tuple(self._sockets):
            self.drop(app)
        await self._runner.cleanup()

    # what a test commands

    def fail(self, method: str, path: str, fault: Fault) -> None:
        """The next request of this method and path (`channels/x`) goes wrong."""
        self._faults.append((method, path, fault))

    def open_apps(self) -> set[str]:
        """The applications whose websocket is open."""
        return set(self._sockets)

    def drop(self, app: str) -> None:
        """Cut the websocket without a word."""
        del self._sockets[app]
        self._transports[app].abort()

    async def close(self, app: str) -> None:
        """Close the websocket as the protocol wants it."""
        await self._sockets[app].close()

    async def replace(self, app: str) -> None:
        """What Asterisk does to the first websocket when a second one comes for the same app."""
        await self.send(app, "ApplicationReplaced")
        await self.close(app)

    async def send(
        self, app: str, event_type: str, *, channel_id: str = "", at: str = "", **data: Any
    ) -> None:
        """Send an event; `channel_id` stands for a whole channel on the endpoint PJSIP/phone."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "+0000")
        event = {"type": event_type, "timestamp": at or now, **data}
        if channel_id:
            event["channel"] = {"id": channel_id, "name": "PJSIP/phone-00000001", "state": "Up"}
        await self.send_text(app, json.dumps({**event, "application": app}))

    async def send_text(self, app: str, text: str) -> None:
        """Send this, whether it is an event or not."""
        await self._sockets[app].send_str(text)

    def asked(self, method: str, path: str) -> list[Request]:
        """The requests of this method and path, in order."""
        return [ask for ask in self.requests if (ask.method, ask.path) == (method, path)]

    # what Asterisk would do

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if self.refuse_websocket:
            return web.json_response({"message": "refused"}, status=self.refuse_websocket)
        if not self._login_is_right(request):
            return web.json_response({"message": "Authentication required"}, status=401)
        app = request.query["app"]
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets[app] = socket
        assert request.transport is not None
        self._transports[app] = request.transport
        self.connects.append(app)
        self.subscriptions.setdefault(app, [])
        async for message in socket:
            if self.takes_orders:
                order = asyncio.create_task(self._order(app, request, json.loads(message.data)))
                self._orders.add(order)
                order.add_done_callback(self._orders.discard)
        if self._sockets.get(app) is socket:
            del self._sockets[app]
        return socket

    async def _order(self, app: str, opened: web.Request, order: dict[str, Any]) -> None:
        """Answer an order that came by websocket, with the login that opened it."""
        url = URL(order["uri"])
        body = json.loads(order.get("message_body", "{}"))
        ask = Request(order["method"], url.path, dict(url.query), body, {}, by_websocket=True)
        self.requests.append(ask)
        fault = self._take_fault(ask)
        if fault is None or fault.acted:
            status, said = self._answer(ask, self._login_is_right(opened))
        if fault is not None:
            await asyncio.sleep(fault.delay_seconds)
            if fault.reset:
                self.drop(app)
                return
            if fault.status:
                status, said = fault.status, _message(fault.status, fault.message)
            elif not fault.acted:
                return
        answer = {"type": "RESTResponse", "request_id": order["request_id"], "status_code": status}
        text = {} if said is None else {"message_body": json.dumps(said)}
        if app in self._sockets:
            await self.send_text(app, json.dumps({**answer, **text, "application": app}))

    async def _rest(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        body = await request.json() if request.can_read_body else {}
        ask = Request(request.method, path, dict(request.query), body, dict(request.headers))
        self.requests.append(ask)
        fault = self._take_fault(ask)
        if fault is None or fault.acted:
            status, said = self._answer(ask, self._login_is_right(request))
        if fault is None:
            return _reply(status, said)
        if fault.delay_seconds:
            await asyncio.sleep(fault.delay_seconds)
        if fault.reset and request.transport is not None:
            request.transport.abort()
        if fault.status:
            return _reply(fault.status, _message(fault.status, fault.message))
        return _reply(status, said) if fault.acted else web.Response()

    def _take_fault(self, ask: Request) -> Fault | None:
        for index, (method, path, fault) in enumerate(self._faults):
            if (method, path) == (ask.method, ask.path):
                del self._faults[index]
                return fault
        return None

    def _login_is_right(self, request: web.Request) -> bool:
        login = aiohttp.encode_basic_auth(USER, PASSWORD)
        return request.headers.get("Authorization") == login and "api_key" not in request.query

    def _answer(self, ask: Request, login_is_right: bool) -> tuple[int, object]:
        if not login_is_right:
            return 401, _message(401, "Authentication required")
        parts = ask.path.split("/")
        if parts[0] == "applications":
            return self._application(ask, parts[1])
        if parts[0] == "channels":
            return self._channel(ask, parts[1:])
        if parts[0] == "asterisk":
            return 200, {"system": {"version": "double"}}
        return 404, _message(404, "Playback not found")

    def _application(self, ask: Request, app: str) -> tuple[int, object]:
        if app not in self.subscriptions:
            return 404, _message(404, "Application not found")
        if ask.path.endswith("/eventFilter"):
            return 200, {"name": app}
        source = ask.params.get("eventSource", "")
        known = self.subscriptions[app]
        if ask.method == "POST" and source in self.unknown_sources:
            return 422, _message(422, "Event source does not exist")
        if ask.method == "POST":
            known.append(source)
        if ask.method == "DELETE" and source not in known:
            return 422, _message(422, "Event source was not subscribed to")
        if ask.method == "DELETE":
            known.remove(source)
        return 200, {"name": app, "event_sources": known}

    def _channel(self, ask: Request, rest: list[str]) -> tuple[int, object]:
        if not rest:
            return 200, list(self.channels.values())
        channel_id = rest[0]
        if len(rest) == 1 and ask.method == "POST":
            if channel_id in self.channels:
                return 409, _message(409, "Channel with given unique ID already exists")
            self.channels[channel_id] = {"id": channel_id, "state": "Down"}
            return 200, self.channels[channel_id]
        if channel_id not in self.channels:
            return 404, _message(404, "Channel not found")
        if len(rest) == 1 and ask.method == "DELETE":
            del self.channels[channel_id]
            return 204, None
        if rest[1:] == ["variable"]:
            return self._variable(ask, channel_id)
        if len(rest) > 1:
            return (201, {"id": rest[-1]}) if rest[1] == "play" else (204, None)
        return 200, self.channels[channel_id]

    def _variable(self, ask: Request, channel_id: str) -> tuple[int, object]:
        if ask.method == "POST":
            self._variables[channel_id, ask.body["variable"]] = ask.body["value"]
            return 204, None
        value = self._variables.get((channel_id, ask.params["variable"]))
        if value is None:
            return 404, _message(404, "Provided variable was not found")
        return 200, {"value": value}


def _message(status: int, message: str) -> dict[str, str]:
    # Asterisk names it `error` where a channel could not be allocated.
    return {"error" if status == 500 else "message": message}


def _reply(status: int, said: object) -> web.Response:
    return web.Response(status=204) if said is None else web.json_response(said, status=status)
