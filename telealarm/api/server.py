"""The HTTP server of the API: bounded connections, and bodies that are never unpacked."""

import asyncio
import logging
import resource
from collections import Counter
from functools import partial

from aiohttp import web
from aiohttp.typedefs import Handler

from telealarm.api.core import response_headers
from telealarm.api.core.addresses import Proxies, network

log = logging.getLogger(__name__)

# A connection whose request is not complete (its head is still coming, or nothing) ends after this.
IDLE_SECONDS = 15.0
# How long the server reads on if a reply did not need the whole body.
LINGERING_SECONDS = 2.0
MOST, MOST_OF_ADDRESS = 1000, 200
# File descriptors for all else: Asterisk, the database, sounds, webhooks.
OTHER_DESCRIPTORS = 200
WANTED_DESCRIPTORS = 65_536


class Connections:
    """The open connections. If there are too many, the oldest one without a request is closed.

    So connections that send half a request, or nothing, do not keep out those that ask. An address
    (for IPv6 a /64 network) has a limit of its own. A trusted proxy has none: it speaks for many.
    """

    def __init__(self, most: int, most_of_address: int, proxies: Proxies) -> None:
        self._most = most
        self._most_of_address = most_of_address
        self._proxies = proxies
        self._addresses: dict[web.RequestHandler, str] = {}
        # Those without a request, the oldest first.
        self._idle: dict[web.RequestHandler, None] = {}
        self._counts: Counter[str] = Counter()

    def opened(self, connection: web.RequestHandler, peer: str) -> None:
        """Count a new connection. If it is one too many, close an idle one: perhaps itself."""
        address = network(peer)
        self._addresses[connection] = address
        self._idle[connection] = None
        self._counts[address] += 1
        if self._counts[address] > self._most_of_address and not self._proxies.trust(peer):
            self._close(next(one for one in self._idle if self._addresses[one] == address))
        elif len(self._addresses) > self._most:
            self._close(next(iter(self._idle)))

    def closed(self, connection: web.RequestHandler) -> None:
        """Forget a connection, if it is known."""
        self._idle.pop(connection, None)
        address = self._addresses.pop(connection, None)
        if address is not None:
            self._counts[address] -= 1
            if not self._counts[address]:
                del self._counts[address]

    def asks(self, connection: web.RequestHandler) -> None:
        """A request came: do not close this connection."""
        self._idle.pop(connection, None)

    def answered(self, connection: web.RequestHandler) -> None:
        """The request is answered: the connection is idle again."""
        if connection in self._addresses:
            self._idle[connection] = None

    def _close(self, connection: web.RequestHandler) -> None:
        self.closed(connection)
        connection.force_close()


class _CountedConnection(web.RequestHandler):
    """A connection that counts."""

    def __init__(self, server: web.Server, connections: Connections) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            # The access log belongs into a reverse proxy.
            access_log=None,  # type: ignore[arg-type]  # aiohttp's own way to turn it off
            keepalive_timeout=IDLE_SECONDS,
            lingering_time=LINGERING_SECONDS,
            # It would be unpacked on the event loop, before anybody knows whose it is.
            auto_decompress=False,
        )
        self._connections = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self._connections.opened(self, peer[0] if peer else "")

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        # aiohttp's own errors, such as that of a malformed request, reach no application.
        if not resp.prepared:
            response_headers.complete(resp)
        return await super().finish_response(request, resp, start_time)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._connections.closed(self)
        super().connection_lost(exc)


class ApiServer:
    """Serves an application, from `start` to `stop`."""

    def __init__(self, app: web.Application, proxies: Proxies, most: int | None = None) -> None:
        self._connections = Connections(most or _room(), MOST_OF_ADDRESS, proxies)
        app.middlewares.insert(0, self._count)
        self._runner = web.AppRunner(app)
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port. Raises OSError."""
        await self._runner.setup()
        assert self._runner.server is not None
        make = partial(_CountedConnection, self._runner.server, self._connections)
        self._server = await asyncio.get_running_loop().create_server(
            make, host, port, reuse_address=True
        )
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening. Requests in progress are answered first."""
        if self._server is not None:
            self._server.close()
        await self._runner.cleanup()

    @web.middleware
    async def _count(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self._connections.asks(request.protocol)
        try:
            return await handler(request)
        finally:
            self._connections.answered(request.protocol)


def _room() -> int:
    """Return how many connections there may be. Raises the process's limit of descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, WANTED_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    room = MOST if soft == resource.RLIM_INFINITY else min(MOST, soft - OTHER_DESCRIPTORS)
    if room < MOST:
        log.warning(
            "only %d connections to the API: raise the limit of open files (ulimit -n)", room
        )
    return max(room, 10)
