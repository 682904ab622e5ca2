"""The HTTP side of ARI: one request, one answer or one error that says what became of it."""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

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

# Asterisk's http.conf closes the hundred-and-first connection (sessionlimit) and an idle one after
# 15 s (session_keep_alive). Either, met in the middle of a POST, leaves its fate unknown, so both
# are kept well away from.
CONNECTIONS = 32
KEEP_ALIVE_SECONDS = 5.0
# No answer in JSON is larger, a list of some ten thousand channels neither.
MOST_BYTES = 50_000_000

CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def without_control(name: str, value: str) -> str:
    """`value`, or ValueError if it holds a control character, which could end a SIP header."""
    if CONTROL.search(value):
        raise ValueError(f"{name} holds a control character: {value!r}")
    return value


class Http:
    """Requests to Asterisk at `url`, each with a time limit.

    The login travels in the Authorization header only: not in a URL, a log line or an error.
    """

    def __init__(self, url: str, user: str, password: str, timeout_seconds: float) -> None:
        base = URL(url)
        if base.user or base.password:
            raise ValueError("the URL of ARI must not hold a login")
        self.base = base
        self._headers = {"Authorization": aiohttp.encode_basic_auth(user, password)}
        # Half of the time for the connection, so that a connection that never came about is told
        # from an answer that never came.
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, connect=timeout_seconds / 2)
        self._session: aiohttp.ClientSession | None = None

    def session(self) -> aiohttp.ClientSession:
        """The session, made when it is first needed."""
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
        """The address of a resource: the path is escaped, so an id may hold a slash."""
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
        """Ask, and return the JSON of the answer (None if it has none).

        Raises Unreachable when nothing was sent, FateUnknown when it may have been, else the
        AriError that stands for Asterisk's answer.
        """
        said = await self._exchange(method, path, params, body)
        try:
            return json.loads(said) if said else None
        except ValueError:
            raise FateUnknown(f"{method} {'/'.join(path)}: the answer is not JSON") from None

    async def one_of(self, *path: str) -> dict[str, Any]:
        """What is at `path`, which is one thing. Raises as `request` does."""
        answer = await self.request("GET", *path)
        if not isinstance(answer, dict):
            raise FateUnknown(f"GET {'/'.join(path)}: the answer is no object")
        return answer

    async def all_of(self, *path: str) -> list[dict[str, Any]]:
        """The things that are at `path`. Raises as `request` does."""
        answer = await self.request("GET", *path)
        if not isinstance(answer, list):
            raise FateUnknown(f"GET {'/'.join(path)}: the answer is no list")
        return answer

    async def fetch(self, *path: str, most_bytes: int) -> bytes:
        """What is at `path`. Raises Refused where it is larger than `most_bytes`, and else as
        `request` does.
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
                said = await _read(reply, most_bytes)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Unreachable(f"{what}: {error or 'no connection in time'}") from None
        except TimeoutError:
            raise FateUnknown(f"{what}: no answer within {self._timeout.total:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise FateUnknown(f"{what}: {type(error).__name__}: {error}") from None
        if reply.status >= 300:
            raise answered(what, reply.status, said or b"")
        if said is None:
            raise RequestRefused(f"{what}: the answer has more than {most_bytes} bytes")
        return said


async def _read(reply: aiohttp.ClientResponse, most_bytes: int) -> bytes | None:
    """The body; None where it is larger than `most_bytes`."""
    said = bytearray()
    async for part in reply.content.iter_any():
        said += part
        if len(said) > most_bytes:
            return None
    return bytes(said)


def answered(what: str, status: int, said: bytes) -> AriError:
    """The error that stands for Asterisk's answer to `what`."""
    reason = _reason(said)
    message = f"{what}: {status} {reason}".rstrip()
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return Unauthorized(message)
    if status == HTTPStatus.NOT_FOUND:
        return NotFound(message)
    if status == HTTPStatus.CONFLICT:
        # Asterisk says 409 both of an id that lives and of a channel that is not in Stasis.
        if "not in" in reason.lower():
            return NotInStasis(message, status=status)
        return AlreadyExists(message)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR and "Allocation failed" in reason:
        return AllocationFailed(message)
    return RequestRefused(message, status=status)


def _reason(said: bytes) -> str:
    """Asterisk's own words: `message` as a rule, `error` where a channel was not allocated."""
    try:
        body = json.loads(said)
    except ValueError:
        return ""
    return str(body.get("message") or body.get("error") or "") if isinstance(body, dict) else ""
