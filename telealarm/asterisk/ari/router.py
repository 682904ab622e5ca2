"""Which event goes to whom."""

import logging
from collections import deque
from collections.abc import Callable

from telealarm.asterisk.ari.channel import Channel, Handler
from telealarm.asterisk.ari.events import AriEvent, glance

log = logging.getLogger(__name__)

# Events, of all channels, among which a second copy is recognised.
REMEMBERED = 4096


class Router:
    """Sorts events by channel. It never waits, and whatever a handler does, it goes on."""

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
        """Hand one event on, as Asterisk sent it. What nobody wants is not even parsed."""
        kind, channel_id = glance(text)
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
        channel = self.channels.get(event.channel_id) if event.channel_id else None
        if channel is None:
            self._tell_app(event)
            return
        channel.hear(event)
        if event.type == "StasisStart":
            self._on_stasis_start(event)

    def _wanted(self, kind: str, channel: Channel | None) -> bool:
        if channel is None:
            return kind in self._app_handlers
        return kind == "StasisStart" or channel.wants(kind)

    def _tell_app(self, event: AriEvent) -> None:
        for handler in tuple(self._app_handlers.get(event.type, ())):
            try:
                handler(event)
            except Exception:
                ids = {"channel": event.channel_id}
                log.exception("a handler of %s failed", event.type, extra=ids)

    def _is_copy(self, text: str) -> bool:
        """Whether this very event has come before.

        An application that is subscribed to an endpoint and to a channel on it gets each event
        twice, and so do two applications on one endpoint; the copies differ in nothing but the
        application, which stands last. Two real events differ at least in their milliseconds.
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
