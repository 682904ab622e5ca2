"""Asterisk's objects other than an open channel, with the names of ARI."""

import math
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from telealarm.asterisk.ari.channel import Channel, variable_name
from telealarm.asterisk.ari.errors import AriError, NotFound, RequestRefused
from telealarm.asterisk.ari.events import CHECK
from telealarm.asterisk.ari.http import Http, without_control
from telealarm.asterisk.ari.turns import Turns

# Asterisk's HTTP status for an event source that does not exist or is not subscribed.
NO_SUCH_SOURCE = 422
# What we would like to speak. With a wideband format the offer (SDP) has the codecs of the endpoint
# in its own order. Without it Asterisk offers the narrow ones first, and nobody takes wideband.
FORMATS = "slin16"
# The contexts and extensions that may be named in a dialplan function.
PLACE = re.compile(r"[A-Za-z0-9_-]+")


class Channels:
    """`client.channels`."""

    def __init__(self, http: Http, open_channel: Callable[[str], Channel]) -> None:
        self._http = http
        self._open = open_channel
        self._turns = Turns(http.timeout_seconds / 2)

    async def originate(
        self,
        *,
        channel_id: str,
        endpoint: str,
        context: str,
        extension: str,
        priority: int = 1,
        caller_id: str,
        timeout_seconds: float,
        variables: Mapping[str, str],
    ) -> Channel:
        """Make Asterisk call `endpoint` and send the answered channel through the dialplan.

        The channel is opened first, because StasisStart can come before the reply. After an error
        it stays open until the caller closes it. `timeout_seconds` is how long it may ring (rounded
        up to whole seconds). Never repeat an originate blindly after FateUnknown.

        Raises ValueError for values that must not reach Asterisk, AlreadyExists if the id is in
        use, AllocationFailed if nothing was dialled, FateUnknown, Unreachable, RequestRefused.
        """
        for name, value in (("endpoint", endpoint), ("caller_id", caller_id)):
            without_control(name, value)
        if timeout_seconds <= 0:
            raise ValueError("a call must be allowed to ring for some time")
        body = {
            "endpoint": endpoint,
            "context": context,
            "extension": extension,
            "priority": priority,
            "callerId": caller_id,
            "timeout": math.ceil(timeout_seconds),
            "formats": FORMATS,
            "variables": {variable_name(name): value for name, value in variables.items()},
        }
        channel = self._open(channel_id)
        async with self._turns.turn():
            await self._http.order("POST", "channels", channel_id, body=body)
        return channel

    async def dialplan_exists(self, app: str, context: str, extension: str) -> bool:
        """Return whether Asterisk's dialplan has this extension, priority 1.

        ARI has no request for it, but the function DIALPLAN_EXISTS works on a channel. So this
        creates a Local channel for the connected Stasis application `app` and never dials it.
        """
        channel_id = f"{CHECK}{secrets.token_hex(8)}"
        place = f"{variable_name(context, PLACE)},{variable_name(extension, PLACE)},1"
        endpoint = f"Local/{extension}@{context}"
        body = {"endpoint": endpoint, "app": app, "channelId": channel_id}
        try:
            await self._http.request("POST", "channels", "create", body=body)
            params = {"variable": f"DIALPLAN_EXISTS({place})"}
            path = ("channels", channel_id, "variable")
            result = await self._http.request("GET", *path, params=params)
        finally:
            with suppress(AriError):
                await self._http.request("DELETE", "channels", channel_id)
        return bool(result["value"] == "1")

    async def get(self, channel_id: str) -> dict[str, Any]:
        """Return a channel as Asterisk describes it. Raises NotFound if it has hung up."""
        return await self._http.one_of("channels", channel_id)

    async def list(self) -> list[dict[str, Any]]:
        """Return every channel that exists, from this product or not."""
        return await self._http.all_of("channels")


class Applications:
    """`client.applications`."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def get(self, app: str) -> dict[str, Any]:
        """Return a Stasis application and its subscriptions."""
        return await self._http.one_of("applications", app)

    async def subscribe(self, app: str, event_source: str) -> None:
        """Subscribe to `endpoint:PJSIP`, `channel:<id>`, ...

        Raises NotFound if the application never had a websocket, RequestRefused (422) if the source
        does not exist. A subscription outlives the websocket, but not Asterisk.
        """
        await self._subscription("POST", app, event_source)

    async def unsubscribe(self, app: str, event_source: str) -> None:
        """Undo `subscribe`, if the source is subscribed and exists."""
        try:
            await self._subscription("DELETE", app, event_source)
        except NotFound:
            pass
        except RequestRefused as error:
            if error.status != NO_SUCH_SOURCE:
                raise

    async def hide(self, app: str, event_types: Iterable[str]) -> None:
        """Let Asterisk send no events of these types. It forgets that when it is restarted."""
        hidden = {"disallowed": [{"type": event_type} for event_type in event_types]}
        await self._http.request("PUT", "applications", app, "eventFilter", body=hidden)

    async def _subscription(self, method: str, app: str, event_source: str) -> None:
        params = {"eventSource": event_source}
        await self._http.order(method, "applications", app, "subscription", params=params)


class Endpoints:
    """`client.endpoints`."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def get(self, technology: str, resource: str) -> dict[str, Any]:
        """Return an endpoint's state and channels. Raises NotFound if Asterisk does not know it."""
        return await self._http.one_of("endpoints", technology, resource)

    async def list(self, technology: str) -> "list[dict[str, Any]]":
        """Return the endpoints of a technology. Raises NotFound if it is not loaded."""
        return await self._http.all_of("endpoints", technology)


class Asterisk:
    """`client.asterisk`."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def info(self) -> dict[str, Any]:
        """Return version, build and start time."""
        return await self._http.one_of("asterisk", "info")

    async def started(self) -> datetime | None:
        """Return when Asterisk was started, by its clock; None if it does not say so."""
        text = (await self.info()).get("status", {}).get("startup_time")
        return datetime.fromisoformat(text).astimezone(UTC) if isinstance(text, str) else None

    async def variable(self, name: str) -> str:
        """Return the value of a global variable of the dialplan, like ASTSPOOLDIR; or nothing."""
        params = {"variable": variable_name(name)}
        answer = await self._http.request("GET", "asterisk", "variable", params=params)
        return str(answer.get("value", "")) if isinstance(answer, dict) else ""
