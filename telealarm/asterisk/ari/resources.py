"""Asterisk's objects other than an open channel, by the names that ARI gives them."""

import math
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from telealarm.asterisk.ari.channel import Channel, variable_name
from telealarm.asterisk.ari.errors import AriError, NotFound, RequestRefused
from telealarm.asterisk.ari.http import Http, without_control

# Asterisk's HTTP status for an event source that does not exist or is not subscribed to.
NO_SUCH_SOURCE = 422
# A context or an extension that can be named within a dialplan function.
PLACE = re.compile(r"[A-Za-z0-9_-]+")


class Channels:
    """`client.channels`."""

    def __init__(
        self,
        http: Http,
        open_channel: Callable[[str], Channel],
        close_channel: Callable[[str], None],
    ) -> None:
        self._http = http
        self._open = open_channel
        self._close = close_channel

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
        """Have Asterisk call `endpoint` and run the answered channel through the dialplan.

        The channel is opened first, because StasisStart can come before the reply; after an error
        it stays open until the caller has closed it. `timeout_seconds` is how long it may ring
        (whole seconds, rounded up). Never repeat it blindly after FateUnknown.

        Raises ValueError for what must not reach Asterisk; AlreadyExists if the id lives,
        AllocationFailed if nothing was dialled, FateUnknown, Unreachable, Refused.
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
            "variables": {variable_name(name): value for name, value in variables.items()},
        }
        channel = self._open(channel_id)
        await self._http.request("POST", "channels", channel_id, body=body)
        return channel

    async def dialplan_exists(self, app: str, context: str, extension: str) -> bool:
        """Whether Asterisk's dialplan has this extension, priority 1.

        ARI cannot be asked for it; the function DIALPLAN_EXISTS can, on a channel. So a Local
        channel is made for the connected Stasis application `app`, and never dialled.
        """
        channel_id = f"check-{secrets.token_hex(8)}"
        place = f"{variable_name(context, PLACE)},{variable_name(extension, PLACE)},1"
        endpoint = f"Local/{extension}@{context}"
        body = {"endpoint": endpoint, "app": app, "channelId": channel_id}
        self._open(channel_id)  # ours: whoever meets strangers is not to meet it
        try:
            await self._http.request("POST", "channels", "create", body=body)
            params = {"variable": f"DIALPLAN_EXISTS({place})"}
            path = ("channels", channel_id, "variable")
            found = await self._http.request("GET", *path, params=params)
        finally:
            with suppress(AriError):
                await self._http.request("DELETE", "channels", channel_id)
            self._close(channel_id)
        return bool(found["value"] == "1")

    async def get(self, channel_id: str) -> dict[str, Any]:
        """A channel as Asterisk describes it; NotFound when it has hung up."""
        return await self._http.one_of("channels", channel_id)

    async def list(self) -> list[dict[str, Any]]:
        """Every channel that lives, ours or not."""
        return await self._http.all_of("channels")


class Applications:
    """`client.applications`."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def get(self, app: str) -> dict[str, Any]:
        """A Stasis application and what it is subscribed to."""
        return await self._http.one_of("applications", app)

    async def subscribe(self, app: str, event_source: str) -> None:
        """Subscribe to `endpoint:PJSIP`, `channel:<id>`, ...

        Raises NotFound if the application has never had a websocket, and Refused (422) if there is
        no such source. What is subscribed outlives the websocket, but not Asterisk.
        """
        await self._subscription("POST", app, event_source)

    async def unsubscribe(self, app: str, event_source: str) -> None:
        """Undo `subscribe`; what is not subscribed, or is gone, is fine."""
        try:
            await self._subscription("DELETE", app, event_source)
        except NotFound:
            pass
        except RequestRefused as error:
            if error.status != NO_SUCH_SOURCE:
                raise

    async def _subscription(self, method: str, app: str, event_source: str) -> None:
        params = {"eventSource": event_source}
        await self._http.request(method, "applications", app, "subscription", params=params)


class Endpoints:
    """`client.endpoints`."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def get(self, technology: str, resource: str) -> dict[str, Any]:
        """One endpoint: its state and its channels; NotFound if Asterisk does not know it."""
        return await self._http.one_of("endpoints", technology, resource)

    async def list(self, technology: str) -> "list[dict[str, Any]]":
        """The endpoints of a technology; NotFound if Asterisk has not loaded it."""
        return await self._http.all_of("endpoints", technology)


class Asterisk:
    """`client.asterisk`."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def info(self) -> dict[str, Any]:
        """Version, build and start time."""
        return await self._http.one_of("asterisk", "info")
