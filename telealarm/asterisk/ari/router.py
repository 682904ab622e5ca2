"""The routing of events to their channels."""

import logging
from collections import deque
from collections.abc import Callable

from telealarm.asterisk.ari.channel import Channel, Handler
from telealarm.asterisk.ari.events import CHECK, AriEvent, channel_of, type_of

log = logging.getLogger(__name__)

# The number of events, of all channels, in which a second copy is recognised.
REMEMBERED = 4096


class Router:
    """Routes events to their channels. It never waits, and a handler's error does not stop it."""

    def __init__(self, on_stasis_start: Callable[[AriEvent], None]) -> None:
        self.channels: dict[str, Channel] = {}
        self._on_stasis_start = on_stasis_start
        self._app_handlers: dict[str, list[Handler]] = {}
        self._recent: deque[int] = deque()
        self._seen: set[int] = set()

    def on_event(self, event_type: str, handler: Handler) -> None:
        """Call `handler` with events of this type that belong to no open channel."""
        self._app_handlers.setdefault(event_type, []).append(handler)

    def route(self, text: str) -> None:
        """Route one event, as Asterisk sent it. An event without a handler is not even parsed."""
        kind, channel_id = type_of(text), channel_of(text)
        channel = self.channels.get(channel_id) if channel_id else None
        if kind is not None and not self._wanted(kind, channel):
            return
        if self._is_copy(text):
            return
        try:
            event = AriEvent.parse(text)
        except ValueError as error:
            log.warning("an event could not be read: %s: %.200s", error, text)
            return
        if event.channel_id is not None and event.channel_id.startswith(CHECK):
            return
        channel = self.channels.get(event.channel_id) if event.channel_id else None
        if channel is None:
            self._call_app_handlers(event)
            return
        channel.handle(event)
        if event.type == "StasisStart":
            self._on_stasis_start(event)

    def _wanted(self, kind: str, channel: Channel | None) -> bool:
        if channel is None:
            return kind in self._app_handlers
        return kind == "StasisStart" or channel.wants(kind)

    def _call_app_handlers(self, event: AriEvent) -> None:
        for handler in tuple(self._app_handlers.get(event.type, ())):
            try:
                handler(event)
            except Exception:
                ids = {"channel": event.channel_id}
                log.exception("a handler of %s failed", event.type, extra=ids)

    def _is_copy(self, text: str) -> bool:
        """Return whether the same event has come before.

        Two subscriptions bring an event twice: to an endpoint and to a channel on it, or of two
        applications to one endpoint. The copies differ only in the application, which comes last.
        Two real events differ at least in their milliseconds.
        """
        body, last, application = text.rpartition('"application"')
        copy = hash(body if last else application)
        if copy in self._seen:
            return True
        self._seen.add(copy)
        self._recent.append(copy)
        if len(self._recent) > REMEMBERED:
            self._seen.discard(self._recent.popleft())
        return False
