"""The HTTP side of ARI: each request returns an answer or raises an error that says its fate."""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
from yarl import URL

from telealarm.asterisk.ari.errors import (
    AllocationFailed,
    AlreadyExists,
    AriError,
    FateUnknown,
    NotFound,
    NotInStasis,
    RequestRefused,
    Unauthorized,
    Unreachable,
)
from telealarm.asterisk.ari.wire import MOST_BYTES as MOST_ON_WIRE
from telealarm.asterisk.ari.wire import Wire

# Asterisk's http.conf closes the connection after the hundredth (sessionlimit), and an idle
# connection after 15 s (session_keep_alive). If that happens during a POST, its fate is unknown. So
# both numbers stay far below these limits.
CONNECTIONS = 32
KEEP_ALIVE_SECONDS = 5.0
# The largest answer in JSON: a list of some ten thousand channels is smaller.
MOST_BYTES = 50_000_000

CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def without_control(name: str, value: str) -> str:
    """Return `value`. Raises ValueError for a control character: it could end a SIP header."""
    if CONTROL.search(value):
        raise ValueError(f"{name} holds a control character: {value!r}")
    return value


class Http:
    """Requests to Asterisk at `url`, each with a time limit.

    The login is sent in the Authorization header only. It is never in a URL, a log line or an
    error.
    """

    def __init__(self, url: str, user: str, password: str, timeout_seconds: float) -> None:
        base = URL(url)
        if base.user or base.password:
            raise ValueError("the URL of ARI must not hold a login")
        self.base = base
        self._headers = {"Authorization": aiohttp.encode_basic_auth(user, password)}
        # Connecting gets half of the time. So a connection that failed and an answer that did not
        # come lead to different errors.
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, connect=timeout_seconds / 2)
        self._session: aiohttp.ClientSession | None = None
        # The websocket of the client's application while it is open; it may take orders.
        self.wire: Wire | None = None
        self.timeout_seconds = timeout_seconds

    def session(self) -> aiohttp.ClientSession:
        """Return the session; the first call creates it."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                headers=self._headers,
                timeout=self._timeout,
                connector=aiohttp.TCPConnector(
                    limit=CONNECTIONS, keepalive_timeout=KEEP_ALIVE_SECONDS
                ),
            )
        return self._session

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def address(self, *path: str, params: Mapping[str, str] | None = None) -> URL:
        """Return the address of a resource. The path is escaped, so an id may hold a slash."""
        prefix = self.base.raw_path.rstrip("/")
        escaped = "/".join(quote(part, safe="") for part in ("ari", *path))
        url = self.base.with_path(f"{prefix}/{escaped}", encoded=True)
        return url.with_query(dict(params)) if params else url

    async def request(
        self,
        method: str,
        *path: str,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> Any:
        """Send a request and return the JSON of the answer (None if it is empty).

        Raises Unreachable if nothing was sent, FateUnknown if it may have been sent, else the
        AriError for Asterisk's answer.
        """
        content = await self._exchange(method, path, params, body)
        try:
            return json.loads(content) if content else None
        except ValueError:
            raise FateUnknown(f"{method} {'/'.join(path)}: the answer is not JSON") from None

    async def order(
        self,
        method: str,
        *path: str,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> None:
        """Send a request that Asterisk carries out at once, by websocket if it takes it there.

        Raises as `request` does.
        """
        wire = self.wire
        if wire is None or not wire.works or _is_long(body):
            await self.request(method, *path, params=params, body=body)
            return
        uri = "/".join(quote(part, safe="") for part in path)
        if params:
            uri = f"{uri}?{urlencode(params)}"
        status, content = await wire.ask(method, uri, body)
        if status >= 300:
            raise error_for(f"{method} {'/'.join(path)}", status, content)

    async def one_of(self, *path: str) -> dict[str, Any]:
        """Return the object at `path`. Raises as `request` does."""
        answer = await self.request("GET", *path)
        if not isinstance(answer, dict):
            raise FateUnknown(f"GET {'/'.join(path)}: the answer is no object")
        return answer

    async def all_of(self, *path: str) -> list[dict[str, Any]]:
        """Return the list of objects at `path`. Raises as `request` does."""
        answer = await self.request("GET", *path)
        if not isinstance(answer, list):
            raise FateUnknown(f"GET {'/'.join(path)}: the answer is no list")
        return answer

    async def fetch(self, *path: str, most_bytes: int) -> bytes:
        """Return the bytes at `path`.

        Raises RequestRefused if they are more than `most_bytes`, else as `request` does.
        """
        return await self._exchange("GET", path, None, None, most_bytes)

    async def _exchange(
        self,
        method: str,
        path: tuple[str, ...],
        params: Mapping[str, str] | None,
        body: Mapping[str, object] | None,
        most_bytes: int = MOST_BYTES,
    ) -> bytes:
        what = f"{method} {'/'.join(path)}"
        try:
            async with self.session().request(
                method, self.address(*path, params=params), json=body, allow_redirects=False
            ) as reply:
                content = await _read(reply, most_bytes)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Unreachable(f"{what}: {error or 'no connection in time'}") from None
        except TimeoutError:
            raise FateUnknown(f"{what}: no answer within {self._timeout.total:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise FateUnknown(f"{what}: {type(error).__name__}: {error}") from None
        if reply.status >= 300:
            raise error_for(what, reply.status, content or b"")
        if content is None:
            raise RequestRefused(f"{what}: the answer has more than {most_bytes} bytes")
        return content


def _is_long(body: Mapping[str, object] | None) -> bool:
    """Return whether a body may be too long for the websocket."""
    return body is not None and len(repr(body)) > MOST_ON_WIRE


async def _read(reply: aiohttp.ClientResponse, most_bytes: int) -> bytes | None:
    """Return the body; None if it is larger than `most_bytes`."""
    content = bytearray()
    async for part in reply.content.iter_any():
        content += part
        if len(content) > most_bytes:
            return None
    return bytes(content)


def error_for(what: str, status: int, content: bytes) -> AriError:
    """Return the error for Asterisk's answer to the request `what`."""
    reason = _reason(content)
    message = f"{what}: {status} {reason}".rstrip()
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return Unauthorized(message)
    if status == HTTPStatus.NOT_FOUND:
        return NotFound(message)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        # Asterisk shuts down, and does nothing that it is asked for.
        return Unreachable(message)
    if status == HTTPStatus.CONFLICT:
        # Asterisk answers 409 both if the id exists and if the channel is not in Stasis.
        if "not in" in reason.lower():
            return NotInStasis(message, status=status)
        return AlreadyExists(message)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR and "Allocation failed" in reason:
        return AllocationFailed(message)
    return RequestRefused(message, status=status)


def _reason(content: bytes) -> str:
    """Return Asterisk's text: `message`, or `error` if a channel could not be allocated."""
    try:
        body = json.loads(content)
    except ValueError:
        return ""
    return str(body.get("message") or body.get("error") or "") if isinstance(body, dict) else ""
