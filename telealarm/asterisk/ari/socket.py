"""The websocket of one Stasis application: connect, read, and reconnect."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import NoReturn

import aiohttp

from telealarm.asterisk.ari.errors import AriError, RequestRefused, Unauthorized, Unreachable
from telealarm.asterisk.ari.events import type_of
from telealarm.asterisk.ari.http import Http
from telealarm.asterisk.ari.resources import NO_SUCH_SOURCE
from telealarm.asterisk.ari.wire import ANSWER, Wire

log = logging.getLogger(__name__)

FIRST_DELAY_SECONDS = 0.1
LAST_DELAY_SECONDS = 5.0
# A frozen Asterisk is detected after one and a half of these: aiohttp waits half of it for a pong.
HEARTBEAT_SECONDS = 5.0
NO_PONG = "Asterisk does not answer on the websocket: it is frozen or cut off"
CLOSING = aiohttp.ClientWSTimeout(ws_close=1.0)


class Disconnected(AriError):
    """Asterisk has closed the websocket."""

    code = "disconnected"


class Replaced(AriError):
    """Another connection has taken over this application."""

    code = "replaced"


class Socket:
    """Keeps the websocket of the application `app` open and passes its messages to `route`.

    `ready` is awaited after each connect, while messages are read. If it fails, the websocket is
    closed and reconnected. `connected` and `trouble` are the current state. With `takes_orders`
    the client's orders go by this websocket too.
    """

    def __init__(
        self,
        http: Http,
        app: str,
        route: Callable[[str], None],
        ready: Callable[["Socket"], Awaitable[None]],
        *,
        takes_orders: bool = False,
    ) -> None:
        self.app = app
        self.connected = False
        self.closed = asyncio.Event()
        self.trouble: str | None = "not connected to Asterisk yet"
        self._http = http
        self._route = route
        self._ready = ready
        self._takes_orders = takes_orders
        self._delay = FIRST_DELAY_SECONDS

    async def serve(self, *, while_replaced: bool) -> None:
        """Serve until cancelled. Without `while_replaced`, stop if another process takes over."""
        while True:
            try:
                await self._connect_and_read()
            except Replaced:
                if not while_replaced:
                    return
                self._trouble(
                    f"another process has connected to Asterisk as {self.app!r}: give each worker"
                    " a name of its own"
                )
                # Otherwise two processes with the same name would replace each other many times a
                # second.
                self._delay = LAST_DELAY_SECONDS
            except (AriError, aiohttp.ClientError, OSError) as error:
                self._trouble(advice(error, self._http))
            # Jitter: the workers must not all reconnect at the same moment.
            await asyncio.sleep(self._delay * random.uniform(0.5, 1.0))
            self._delay = min(self._delay * 2, LAST_DELAY_SECONDS)

    def is_ready(self) -> None:
        """Record that the subscriptions exist. `ready` calls this."""
        self.connected = True
        self.closed.clear()
        self.trouble = None
        log.info("connected to Asterisk as %s", self.app)

    def _trouble(self, sentence: str) -> None:
        if sentence != self.trouble:
            log.warning("%s (%s)", sentence, self.app)
        self.trouble = sentence

    async def _connect_and_read(self) -> NoReturn:
        address = self._http.address("events", params={"app": self.app})
        connecting = self._http.session().ws_connect(
            address, heartbeat=HEARTBEAT_SECONDS, timeout=CLOSING
        )
        async with connecting as websocket:
            wire = Wire(websocket, self._http.timeout_seconds)
            tasks = [
                asyncio.create_task(self._read(websocket, wire), name=f"ari read {self.app}"),
                asyncio.create_task(self._set_up(wire), name=f"ari ready {self.app}"),
            ]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            finally:
                self.connected = False
                self.closed.set()
                wire.close()
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
                errors = [task.exception() for task in tasks if not task.cancelled()]
        raise next(error for error in errors if error is not None)

    async def _set_up(self, wire: Wire) -> None:
        if self._takes_orders:
            self._http.wire = wire
            await wire.begin()
        await self._ready(self)
        self._delay = FIRST_DELAY_SECONDS

    async def _read(self, websocket: aiohttp.ClientWebSocketResponse, wire: Wire) -> NoReturn:
        async for message in websocket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            kind = type_of(message.data)
            if kind == ANSWER:
                wire.hear(message.data)
            elif kind == "ApplicationReplaced":
                raise Replaced
            else:
                self._route(message.data)
        raise Disconnected(NO_PONG if isinstance(websocket.exception(), TimeoutError) else None)


def advice(error: Exception, http: Http) -> str:
    """Return one sentence that says what to change."""
    status = error.status if isinstance(error, aiohttp.WSServerHandshakeError) else None
    if status in (401, 403) or isinstance(error, Unauthorized):
        return (
            "Asterisk refuses the login: make asterisk.ari.user and asterisk.ari.password the same"
            " as in its ari.conf"
        )
    if status == 404:
        return (
            f"ARI is not enabled at {http.base}: set enabled=yes in Asterisk's ari.conf and"
            " http.conf and load res_ari, or correct asterisk.ari.url"
        )
    if status == 503:
        return f"Asterisk at {http.base} is still starting, or another server answers (HTTP 503)"
    if status is not None:
        return (
            f"what answers at {http.base} is not Asterisk's ARI (HTTP {status}): check"
            " asterisk.ari.url"
        )
    if isinstance(error, aiohttp.ClientConnectorError):
        reason = error.strerror or "no connection"
        return f"Asterisk cannot be reached at {http.base}: {reason}; check asterisk.ari.url"
    if isinstance(error, Unreachable | TimeoutError):
        return f"Asterisk does not answer at {http.base}: is it running? check asterisk.ari.url"
    if isinstance(error, Disconnected):
        return str(error)
    if isinstance(error, RequestRefused) and error.status == NO_SUCH_SOURCE:
        return f"Asterisk does not know the event source; is chan_pjsip loaded? ({error})"
    return f"the connection with Asterisk failed: {error or type(error).__name__}"
