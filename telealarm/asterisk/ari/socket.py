"""The websocket of one Stasis application: connected, read, and connected again."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

import aiohttp

from telealarm.asterisk.ari.errors import AriError, Refused, Unauthorized, Unreachable
from telealarm.asterisk.ari.events import Event, glance
from telealarm.asterisk.ari.http import Http

log = logging.getLogger(__name__)

FIRST_DELAY_SECONDS = 0.1
LAST_DELAY_SECONDS = 5.0
# A frozen Asterisk is noticed after one and a half of these: aiohttp waits half of it for the pong.
HEARTBEAT_SECONDS = 5.0


class Replaced(AriError):
    """Another connection has taken this application over."""

    code = "replaced"


class Socket:
    """Keeps the websocket of the application `app` open and gives what comes to `route`.

    `ready` is awaited after each connect, beside the reading; if it fails the websocket is closed
    and the whole is tried again. `connected` and `trouble` tell how it stands.
    """

    def __init__(
        self,
        http: Http,
        app: str,
        route: Callable[[str], None],
        ready: Callable[["Socket"], Awaitable[None]],
    ) -> None:
        self.app = app
        self.connected = False
        self.trouble: str | None = "not connected to Asterisk yet"
        self._http = http
        self._route = route
        self._ready = ready
        self._delay = FIRST_DELAY_SECONDS

    async def serve(self, *, while_replaced: bool) -> None:
        """Until cancelled; or, unless `while_replaced`, until another takes the app over."""
        while True:
            try:
                await self._connect_and_read()
                self._trouble("Asterisk has closed the websocket")
            except Replaced:
                self._trouble(
                    f"another process has connected to Asterisk as {self.app!r}: give each worker"
                    " a name of its own"
                )
                if not while_replaced:
                    return
                # Two processes of one name would else throw each other out many times a second.
                self._delay = LAST_DELAY_SECONDS
            except (AriError, aiohttp.ClientError, OSError) as error:
                self._trouble(advice(error, self._http))
            # Jitter: the workers must not all come back in the same instant.
            await asyncio.sleep(self._delay * random.uniform(0.5, 1.0))
            self._delay = min(self._delay * 2, LAST_DELAY_SECONDS)

    def is_ready(self) -> None:
        """Called by `ready` when the subscriptions are made."""
        self.connected = True
        self.trouble = None
        log.info("connected to Asterisk as %s", self.app)

    def _trouble(self, sentence: str) -> None:
        if sentence != self.trouble:
            log.warning("%s (%s)", sentence, self.app)
        self.trouble = sentence

    async def _connect_and_read(self) -> None:
        address = self._http.address("events", params={"app": self.app})
        session = self._http.session()
        async with session.ws_connect(address, heartbeat=HEARTBEAT_SECONDS) as websocket:
            setup = asyncio.create_task(self._set_up(websocket), name=f"ari ready {self.app}")
            try:
                await self._read(websocket)
            finally:
                self.connected = False
                setup.cancel()
                await asyncio.wait({setup})
                failure = None if setup.cancelled() else setup.exception()
            if failure is not None:
                raise failure

    async def _set_up(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        try:
            await self._ready(self)
            self._delay = FIRST_DELAY_SECONDS
        except BaseException:
            await websocket.close()
            raise

    async def _read(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in websocket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            if glance(message.data)[0] == "ApplicationReplaced":
                if Event.parse(message.data).app == self.app:
                    raise Replaced
                continue
            self._route(message.data)


def advice(error: Exception, http: Http) -> str:
    """One sentence that says what to change."""
    status = error.status if isinstance(error, aiohttp.WSServerHandshakeError) else None
    if status in (401, 403) or isinstance(error, Unauthorized):
        return (
            "Asterisk refuses the login: make asterisk.ari.user and asterisk.ari.password the same"
            " as in its ari.conf"
        )
    if status == 404:
        return (
            f"ARI is not enabled at {http.base}: set enabled=yes in Asterisk's ari.conf and"
            " http.conf, and load res_ari"
        )
    if status is not None:
        return (
            f"what answers at {http.base} is not Asterisk's ARI (HTTP {status}): check"
            " asterisk.ari.url"
        )
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return f"Asterisk cannot be reached at {http.base} ({error}): check asterisk.ari.url"
    if isinstance(error, Unreachable | TimeoutError):
        return f"Asterisk does not answer at {http.base}: is it running? check asterisk.ari.url"
    if isinstance(error, Refused) and error.status == 422:
        return f"Asterisk does not know what asterisk.ari is to subscribe to: {error}"
    return f"the connection with Asterisk failed: {error or type(error).__name__}"
