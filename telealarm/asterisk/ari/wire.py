"""Orders to Asterisk over the websocket that brings the events ("REST over WebSocket").

Asterisk 20.14, 21.9, 22.4 and later take them. There an order costs both sides a third of what it
costs over HTTP. Earlier ones ignore it, so it is asked first whether it answers here.

Asterisk carries the orders of a websocket out one after the other. So only what it does at once
goes here: no order that waits until a channel has played something.
"""

import asyncio
import itertools
import json
import logging
from collections.abc import Mapping
from typing import Any

import aiohttp

from telealarm.asterisk.ari.errors import FateUnknown, Unreachable

log = logging.getLogger(__name__)

# The type of an answer among the events.
ANSWER = "RESTResponse"
# What Asterisk takes in one message is limited; it closes the websocket at 65,535 bytes.
MOST_BYTES = 16_384

_IS_IT_TAKEN = "is-it-taken"


class Wire:
    """Orders on one open websocket, each with a time limit. `works`: Asterisk takes them."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse, timeout_seconds: float) -> None:
        self.works = False
        self._websocket = websocket
        self._timeout_seconds = timeout_seconds
        self._numbers = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[tuple[int, bytes]]] = {}

    async def begin(self) -> None:
        """Ask whether Asterisk takes orders here. `hear` gets the answer, if there is one."""
        await self._websocket.send_str(order(_IS_IT_TAKEN, "GET", "asterisk/ping", None))

    async def ask(
        self, method: str, uri: str, body: Mapping[str, object] | None
    ) -> tuple[int, bytes]:
        """Send an order, at most MOST_BYTES long. Return the status and body of the answer.

        Raises Unreachable if nothing was sent, FateUnknown if no answer came.
        """
        name = str(next(self._numbers))
        self._waiting[name] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._send(order(name, method, uri, body), f"{method} {uri}")
                return await self._waiting[name]
        except TimeoutError:
            raise FateUnknown(
                f"{method} {uri}: no answer within {self._timeout_seconds:g} s"
            ) from None
        finally:
            del self._waiting[name]

    def hear(self, text: str) -> None:
        """Take an answer, as Asterisk sent it."""
        try:
            answer = json.loads(text)
        except ValueError:
            log.warning("an answer could not be read: %.200s", text)
            return
        name = answer.get("request_id")
        if name == _IS_IT_TAKEN:
            self.works = True
        waiting = self._waiting.get(name)
        if waiting is not None and not waiting.done():
            waiting.set_result(_status_and_body(answer))

    def close(self) -> None:
        """The websocket is closed: no more answers come."""
        self.works = False
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(FateUnknown("the websocket was closed before the answer"))

    async def _send(self, text: str, what: str) -> None:
        try:
            await self._websocket.send_str(text)
        except (aiohttp.ClientError, OSError, RuntimeError) as error:
            raise Unreachable(f"{what}: {error}") from None


def order(name: str, method: str, uri: str, body: Mapping[str, object] | None) -> str:
    """Return an order as Asterisk reads it. `uri` is escaped, without `/ari/`."""
    message = {"type": "RESTRequest", "request_id": name, "method": method, "uri": uri}
    if body is not None:
        message["content_type"] = "application/json"
        message["message_body"] = json.dumps(body)
    return json.dumps(message)


def _status_and_body(answer: Mapping[str, Any]) -> tuple[int, bytes]:
    return int(answer.get("status_code", 0)), str(answer.get("message_body") or "").encode()
