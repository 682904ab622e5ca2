"""A channel: its events, and the operations on it."""

import asyncio
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from telealarm.asterisk.ari.errors import NotFound
from telealarm.asterisk.ari.events import AriEvent
from telealarm.asterisk.ari.http import Http
from telealarm.clock import monotonic
from telealarm.log import by_ids

log = logging.getLogger(__name__)

Handler = Callable[[AriEvent], object]

QUEUE_LENGTH = 256
# A waiter that misses one of these would wait for ever.
NEVER_DROPPED = frozenset(
    {"ChannelDestroyed", "StasisEnd", "PlaybackFinished", "RecordingFinished", "RecordingFailed"}
)
# Kept from `open` until the type has a handler: these events can come before the reply to the POST.
KEPT = frozenset({"Dial", "StasisStart", "StasisEnd", "ChannelDtmfReceived", "ChannelDestroyed"})
# These say that a channel leaves; `Channel.ending` keeps the first.
LEAVING = frozenset({"ChannelHangupRequest", "StasisEnd"})

# A channel's playbacks have so many ids, in turn: whoever adopts the channel can stop them all.
PLAYBACKS = 4

VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
# A name that ends in `)` calls a dialplan function. Only these are allowed.
NATIVE_FORMAT = "CHANNEL(audionativeformat)"
ALLOWED_FUNCTIONS = ("TIMEOUT(absolute)", NATIVE_FORMAT)


def variable_name(name: str, pattern: re.Pattern[str] = VARIABLE) -> str:
    """Return `name` if it is a plain name (by default of a variable). Raises ValueError if not."""
    if not pattern.fullmatch(name):
        raise ValueError(f"not a plain name: {name!r}")
    return name


class EventQueue:
    """Some of a channel's events, in order. `Channel.events` creates it."""

    def __init__(self, channel_id: str, unlisten: Callable[[Handler], None]) -> None:
        self._channel_id = channel_id
        self._unlisten = unlisten
        self._events: asyncio.Queue[AriEvent | None] = asyncio.Queue()
        self._warned = False

    def put(self, event: AriEvent) -> None:
        """Add an event; the reader calls this. A full queue drops it, except NEVER_DROPPED."""
        if self._events.qsize() < QUEUE_LENGTH or event.type in NEVER_DROPPED:
            self._events.put_nowait(event)
        elif not self._warned:
            self._warned = True
            by_ids(log, channel=self._channel_id).warning(
                "no task reads its events; %s and others are dropped", event.type
            )

    async def get(self, timeout_seconds: float | None = None) -> AriEvent:
        """Return the next event. Raises TimeoutError if none comes in time, or at a nudge."""
        async with asyncio.timeout(timeout_seconds):
            event = await self._events.get()
        if event is None:
            raise TimeoutError
        return event

    def nudge(self) -> None:
        """End a wait for an event, after the events that came before have been read."""
        self._events.put_nowait(None)

    def close(self) -> None:
        """Take no more events."""
        self._unlisten(self.put)


class Channel:
    """A channel that the client opened. Opening it sends nothing to Asterisk.

    Every request may raise Unreachable, FateUnknown, or NotFound (it has hung up). A request that
    needs the channel in a Stasis application may also raise NotInStasis.
    """

    def __init__(self, channel_id: str, app: str, http: Http) -> None:
        self.id = channel_id
        self.app = app
        # When its StasisStart arrived, on the monotonic clock.
        self.entered: float | None = None
        # The first event since then that said that it leaves: why it left.
        self.ending: AriEvent | None = None
        self._http = http
        self._played = 0
        self._handlers: dict[str, list[Handler]] = {}
        self._kept: dict[str, list[AriEvent]] = {kind: [] for kind in KEPT}

    # events

    def on_event(self, event_type: str, handler: Handler) -> Callable[[], None]:
        """Call `handler` with each event of this type. Return a function that unregisters it.

        The handler runs in the reader, in the order in which Asterisk sent the events. So it must
        not block. An exception in it is logged and stops nothing. The first handler or queue of a
        type in KEPT also gets the events since the channel was opened.
        """
        self._listen(event_type, handler)
        return lambda: self._unlisten(event_type, handler)

    def events(self, *types: str) -> EventQueue:
        """Return a queue of the events of these types, from now on (see `on_event`)."""

        def unlisten(handler: Handler) -> None:
            for kind in types:
                self._unlisten(kind, handler)

        queue = EventQueue(self.id, unlisten)
        kept = [event for kind in types for event in self._kept.get(kind, ())]
        for event in sorted(kept, key=lambda event: event.at):
            queue.put(event)
        for kind in types:
            self._kept.pop(kind, None)
            self._listen(kind, queue.put)
        return queue

    def wants(self, event_type: str) -> bool:
        """Return whether an event of this type has a handler or is kept."""
        return event_type in LEAVING or event_type in self._handlers or event_type in self._kept

    def handle(self, event: AriEvent) -> None:
        """Handle one of the channel's events; the router calls this."""
        if event.type == "StasisStart":
            self.app = event.app
            self.entered, self.ending = monotonic(), None
        elif event.type in LEAVING and self.ending is None:
            self.ending = event
        if event.type in self._kept:
            if len(self._kept[event.type]) < QUEUE_LENGTH:
                self._kept[event.type].append(event)
            return
        for handler in tuple(self._handlers.get(event.type, ())):
            self._call(handler, event)

    def _listen(self, event_type: str, handler: Handler) -> None:
        self._handlers.setdefault(event_type, []).append(handler)
        for event in self._kept.pop(event_type, ()):
            self._call(handler, event)

    def _unlisten(self, event_type: str, handler: Handler) -> None:
        handlers = self._handlers.get(event_type, [])
        if handler in handlers:
            handlers.remove(handler)
        if not handlers:
            self._handlers.pop(event_type, None)

    def _call(self, handler: Handler, event: AriEvent) -> None:
        try:
            handler(event)
        except Exception:
            log.exception("a handler of %s failed", event.type, extra={"channel": self.id})

    # requests

    async def snapshot(self) -> dict[str, Any]:
        """Return the channel as Asterisk describes it. Raises NotFound if it has hung up."""
        return await self._http.one_of("channels", self.id)

    async def answer(self) -> None:
        """Answer an incoming channel."""
        await self._ask("POST", "answer")

    async def play(self, media: str | Sequence[str], playback_id: str) -> "Playback":
        """Play media URIs one after the other (`sound:/path`, `sound:http://...`, `digits:104`).

        The end is one PlaybackFinished event. Its state is `failed` if the last URI could not be
        played. A path has no extension: Asterisk chooses the file by the channel's codec.
        """
        many = [media] if isinstance(media, str) else list(media)
        await self._order("POST", "play", playback_id, body={"media": many})
        return self.playback(playback_id)

    async def record(
        self, name: str, *, most_seconds: int, silence_seconds: int, beep: bool = True
    ) -> None:
        """Record the caller as the stored recording `name` (wav, 8 kHz mono).

        The end is a RecordingFinished or RecordingFailed event: after `most_seconds`, after
        `silence_seconds` of silence (0: never), at a hang-up, or after `Recordings.stop`.
        """
        body = {
            "name": name,
            "format": "wav",
            "maxDurationSeconds": most_seconds,
            "maxSilenceSeconds": silence_seconds,
            "ifExists": "overwrite",
            "beep": beep,
            "terminateOn": "none",
        }
        await self._ask("POST", "record", body=body)

    async def start_silence(self) -> None:
        """Send silence until the next playback. In a bridge it would drown the others."""
        await self._order("POST", "silence")

    async def stop_silence(self) -> None:
        """Send no more silence; no error if none is sent."""
        await self._order("DELETE", "silence")

    def next_playback_id(self) -> str:
        """Return the id of the channel's next playback."""
        self._played += 1
        return self._playback_id(self._played)

    async def stop_playbacks(self) -> None:
        """Stop what plays with one of these ids, also if another process began it.

        The event of its end still comes, so the next playback has another id.
        """
        playbacks = [self.playback(self._playback_id(n)) for n in range(PLAYBACKS)]
        played = await asyncio.gather(*(playback.stop() for playback in playbacks))
        while not all(played) and played[(self._played + 1) % PLAYBACKS]:
            self._played += 1

    def _playback_id(self, number: int) -> str:
        return f"{self.id}-p{number % PLAYBACKS}"

    def playback(self, playback_id: str) -> "Playback":
        """Return the playback with this id, to stop a playback that another task started."""
        return Playback(playback_id, self._http)

    async def hangup(self, reason: str = "normal") -> None:
        """Hang up, if the channel still exists."""
        with suppress(NotFound):
            await self._http.order("DELETE", "channels", self.id, params={"reason": reason})

    async def set_variable(self, name: str, value: str) -> None:
        """Set a channel variable, or one of ALLOWED_FUNCTIONS. Raises ValueError for others."""
        if name not in ALLOWED_FUNCTIONS:
            variable_name(name)
        await self._ask("POST", "variable", body={"variable": name, "value": value})

    async def get_variable(self, name: str) -> str:
        """Return the value of a channel variable. Raises NotFound if it has none."""
        if name not in ALLOWED_FUNCTIONS:
            variable_name(name)
        params = {"variable": name}
        variable = await self._http.request("GET", "channels", self.id, "variable", params=params)
        return str(variable["value"])

    async def continue_in_dialplan(
        self, *, context: str, extension: str, priority: int = 1
    ) -> None:
        """Leave Stasis and continue at this place of the dialplan."""
        place = {"context": context, "extension": extension, "priority": priority}
        await self._order("POST", "continue", body=place)

    async def _ask(self, method: str, *path: str, body: Mapping[str, object] | None = None) -> None:
        await self._http.request(method, "channels", self.id, *path, body=body)

    async def _order(
        self, method: str, *path: str, body: Mapping[str, object] | None = None
    ) -> None:
        await self._http.order(method, "channels", self.id, *path, body=body)


class Playback:
    """A sound that plays, or has played, on a channel."""

    def __init__(self, playback_id: str, http: Http) -> None:
        self.id = playback_id
        self._http = http

    async def stop(self) -> bool:
        """Stop it, if it still plays. Return whether it did."""
        with suppress(NotFound):
            await self._http.order("DELETE", "playbacks", self.id)
            return True
        return False
