"""The client: the connection with one Asterisk."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress

from telealarm.asterisk.ari.bridges import Bridges
from telealarm.asterisk.ari.channel import Channel, Handler
from telealarm.asterisk.ari.errors import AriError, NotFound, RequestRefused
from telealarm.asterisk.ari.events import AriEvent
from telealarm.asterisk.ari.http import Http
from telealarm.asterisk.ari.recordings import Recordings
from telealarm.asterisk.ari.resources import Applications, Asterisk, Channels, Endpoints
from telealarm.asterisk.ari.router import Router
from telealarm.asterisk.ari.socket import Socket
from telealarm.clock import monotonic
from telealarm.log import by_ids

log = logging.getLogger(__name__)

# If many callees answer at once, their first prompts are requested before the unsubscribing.
FIRST_THINGS_SECONDS = 0.5
# How long Asterisk may take to shut down, from the end of its calls to the end of its websocket.
ENDING_SECONDS = 10.0
# Events that come with each call, or often, and that nobody here handles.
NOT_HANDLED = (
    *("ChannelCreated", "ChannelStateChange", "ChannelVarset", "ChannelDialplan"),
    *("ChannelCallerId", "ChannelConnectedLine", "ChannelHold", "ChannelUnhold"),
    *("PlaybackStarted", "PlaybackContinuing", "RecordingStarted"),
    *("DeviceStateChanged", "EndpointStateChange", "PeerStatusChange", "ContactStatusChange"),
)


class Client:
    """ARI of the Asterisk at `url`, as the Stasis application `app`.

    Each connect subscribes to `event_sources`. So a channel's whole life is seen, not only its time
    in Stasis. `timeout_seconds` limits each HTTP request.

        client = Client(url="http://127.0.0.1:8088", user="telealarm", password=..., app="ta-1")
        client.on_event("StasisStart", incoming_call)
        await client.run()
    """

    def __init__(
        self,
        *,
        url: str,
        user: str,
        password: str,
        app: str,
        event_sources: Sequence[str] = ("endpoint:PJSIP",),
        timeout_seconds: float = 5.0,
    ) -> None:
        self.app = app
        self._event_sources = tuple(event_sources)
        self._http = Http(url, user, password, timeout_seconds)
        self._router = Router(self._entered_stasis)
        self._on_connected: list[Callable[[], Awaitable[None]]] = []
        self._socket = Socket(
            self._http, app, self._router.route, self._socket_ready, takes_orders=True
        )
        self._added: dict[str, asyncio.Task[None] | None] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._unsubscribing = asyncio.Lock()
        # When it last cut off a call, on the monotonic clock.
        self._cut_at = -math.inf
        self.channels = Channels(self._http, self.open)
        self.applications = Applications(self._http)
        self.bridges = Bridges(self._http)
        self.endpoints = Endpoints(self._http)
        self.recordings = Recordings(self._http)
        self.asterisk = Asterisk(self._http)

    @property
    def connected(self) -> bool:
        """Return whether the websocket of `app` is open and subscribed."""
        return self._socket.connected

    @property
    def trouble(self) -> str | None:
        """Return why it is not connected, with what to change; None if it is connected."""
        return self._socket.trouble

    @property
    def orders_by_websocket(self) -> bool:
        """Return whether Asterisk takes orders by the websocket (see `wire`)."""
        return self._http.wire is not None and self._http.wire.works

    def call_was_cut(self) -> None:
        """Note that Asterisk has cut off a call: perhaps it is shutting down."""
        self._cut_at = monotonic()

    async def is_ending(self) -> bool:
        """Return whether Asterisk, which has just refused a call, is shutting down.

        It cuts off its calls, refuses new ones (500), and closes the websocket a second later. So
        this waits for that, but only after a cut.
        """
        if self.connected:
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, self._cut_at + ENDING_SECONDS - monotonic())):
                    await self._socket.closed.wait()
        return not self.connected

    def on_connected(self, hook: Callable[[], Awaitable[None]]) -> None:
        """Await `hook` after each connect, while events are already being read.

        If it fails, the error is logged, the websocket is closed, and the client reconnects.
        """
        self._on_connected.append(hook)

    def on_event(self, event_type: str, handler: Handler) -> None:
        """Call `handler` with the events of this type that belong to no open channel."""
        self._router.on_event(event_type, handler)

    def open(self, channel_id: str) -> Channel:
        """Return the channel with this id. It receives its events from now on."""
        known = self._router.channels.get(channel_id)
        if known is None:
            known = self._router.channels[channel_id] = Channel(channel_id, self.app, self._http)
        return known

    def find(self, channel_id: str) -> Channel | None:
        """Return the channel with this id if it is open."""
        return self._router.channels.get(channel_id)

    def close(self, channel_id: str) -> None:
        """Take no more events of this channel. This does not hang it up."""
        self._router.channels.pop(channel_id, None)

    @property
    def apps(self) -> frozenset[str]:
        """Return the applications that are served: `app`, and the added ones."""
        return frozenset({self.app, *self._added})

    def add_app(self, name: str) -> None:
        """Also serve the Stasis application of a dead worker, until its owner is back."""
        if name == self.app or name in self._added:
            return
        self._added[name] = None
        if self._tasks is not None:
            self._added[name] = self._tasks.create_task(self._serve_added(name))

    def drop_app(self, name: str) -> None:
        """Stop serving this application."""
        task = self._added.pop(name, None)
        if task is not None:
            task.cancel()

    async def run(self) -> None:
        """Connect, read and reconnect until cancelled. Then close every connection."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                for name in self._added:
                    self._added[name] = tasks.create_task(self._serve_added(name))
                await self._socket.serve(while_replaced=True)
        finally:
            self._tasks = None
            await self.aclose()

    async def aclose(self) -> None:
        """Close the HTTP connections of a client that was used without `run`."""
        await self._http.close()

    async def _socket_ready(self, socket: Socket) -> None:
        for source in self._event_sources:
            await self.applications.subscribe(self.app, source)
        await self._hide_events()
        socket.is_ready()
        for hook in self._on_connected:
            try:
                await hook()
            except Exception as error:
                log.exception("a step after the connect failed; connecting again")
                raise AriError(f"a step after the connect failed: {error}") from error

    async def _hide_events(self) -> None:
        """Ask for no events that nobody handles: they are half of what comes."""
        try:
            await self.applications.hide(self.app, NOT_HANDLED)
        except (NotFound, RequestRefused) as error:
            log.debug("Asterisk sends every event: %s", error)

    async def _serve_added(self, name: str) -> None:
        socket = Socket(self._http, name, self._router.route, self._added_ready)
        try:
            await socket.serve(while_replaced=False)
        finally:
            if self._added.get(name) is asyncio.current_task():
                del self._added[name]
        log.info("%s is served by its owner again", name)

    async def _added_ready(self, socket: Socket) -> None:
        # `app` already receives the events of every endpoint. The dead worker's subscriptions would
        # only bring each event twice.
        for source in self._event_sources:
            await self._unsubscribe(socket.app, source)
        socket.is_ready()

    def _entered_stasis(self, event: AriEvent) -> None:
        """Unsubscribe from a channel that enters Stasis: its events would come twice."""
        if self._sees(str(event.channel.get("name", ""))):
            source = f"channel:{event.channel_id}"
            self._in_background(self._unsubscribe_later(event.app, source))

    def _sees(self, channel_name: str) -> bool:
        """Return whether `app` receives this channel's events (`PJSIP/trunk-0000001f`) anyway."""
        technology, _, rest = channel_name.partition("/")
        endpoint = rest.rpartition("-")[0]
        sources = (f"endpoint:{technology}", f"endpoint:{technology}/{endpoint}")
        return self.connected and any(source in sources for source in self._event_sources)

    async def _unsubscribe_later(self, app: str, source: str) -> None:
        await asyncio.sleep(FIRST_THINGS_SECONDS)
        async with self._unsubscribing:
            await self._unsubscribe(app, source)

    async def _unsubscribe(self, app: str, source: str) -> None:
        ids = by_ids(log, channel=source.removeprefix("channel:"))
        try:
            await self.applications.unsubscribe(app, source)
        except AriError as error:
            ids.warning("its events come twice: %s", error)

    def _in_background(self, work: Coroutine[object, object, None]) -> None:
        if self._tasks is not None:
            self._tasks.create_task(work)
        else:
            work.close()
