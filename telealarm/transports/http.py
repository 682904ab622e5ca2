"""Webhooks over HTTP, signed as in Standard Webhooks 1.0, to permitted addresses only.

A name is resolved once. All its addresses are checked, and the connection goes to one of them. The
address of the socket is checked again. Redirects are not followed, proxies and cookies are not
used, and the body of the answer is not read.
"""

import asyncio
import base64
import errno
import hashlib
import hmac
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from ssl import SSLContext
from typing import Any, Protocol

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from telealarm.errors import TransportError

TIMEOUT_SECONDS = 15.0
# The time limit and the number of tries for one DNS query.
DNS_SECONDS, DNS_TRIES = 3.0, 2
HEADERS = {"User-Agent": "TeleAlarm", "Accept-Encoding": "identity", "Accept": "*/*"}


class AddressCheck(Protocol):
    """Decides which addresses may be called."""

    def check(self, url: str) -> Any:
        """Raise ValueError if the address must not be called."""

    def refusal(self, address: str) -> str | None:
        """Return why an IP address must not be called; None if it may."""


@dataclass(frozen=True)
class SignedNotice:
    """A delivery. `id` is the same for each try; `secrets` sign it, if there are any."""

    id: str
    url: str
    payload: str
    secrets: Sequence[str] = field(default=(), repr=False)


def signed(notice: SignedNotice, at: datetime) -> dict[str, str]:
    """Return the headers of Standard Webhooks, with one signature for each secret."""
    stamp = str(int(at.timestamp()))
    text = f"{notice.id}.{stamp}.{notice.payload}".encode()
    headers = {"webhook-id": notice.id, "webhook-timestamp": stamp}
    signatures = []
    for secret in notice.secrets:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        digest = hmac.new(key, text, hashlib.sha256).digest()
        signatures.append("v1," + base64.b64encode(digest).decode())
    if signatures:
        headers["webhook-signature"] = " ".join(signatures)
    return headers


class GuardedPool:
    """One connection pool that reaches permitted addresses only. Close it when done.

    `resolver` and `tls` replace the system's name servers and certificates.
    """

    def __init__(
        self,
        guard: AddressCheck,
        *,
        resolver: Callable[[], AbstractResolver] | None = None,
        tls: SSLContext | None = None,
    ) -> None:
        self._guard = guard
        self._resolver = resolver or system_resolver
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connection pool."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=connector(self._guard, self._resolver(), self._tls),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=self._timeout(),
                auto_decompress=False,
            )
        return self._session

    def _timeout(self) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)


class WebhookTransport(GuardedPool):
    """Sends webhooks to any endpoint."""

    async def send(self, notice: SignedNotice, at: datetime) -> int:
        """Return the HTTP status of the answer. Raises TransportError if there is none.

        The error is permanent if the address must not be called.
        """
        try:
            self._guard.check(notice.url)
        except ValueError as error:
            raise TransportError(str(error), permanent=True) from None
        headers = {**HEADERS, "Content-Type": "application/json", **signed(notice, at)}
        try:
            async with (
                asyncio.timeout(TIMEOUT_SECONDS),
                self._open().post(
                    notice.url,
                    data=notice.payload.encode(),
                    headers=headers,
                    allow_redirects=False,
                ) as reply,
            ):
                reply.close()
                return reply.status
        except TimeoutError:
            raise TransportError(f"no answer within {TIMEOUT_SECONDS:g} s") from None
        except ValueError as error:  # aiohttp.InvalidURL is one
            raise TransportError(f"not a valid address: {error}", permanent=True) from error
        except (aiohttp.ClientError, OSError) as error:
            raise TransportError(f"not reached: {error}") from error


def connector(
    guard: AddressCheck, resolver: AbstractResolver, tls: SSLContext | None = None
) -> aiohttp.TCPConnector:
    """Return a connector that only opens connections to addresses that `guard` permits."""

    def open_socket(address: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, to = address
        if why := guard.refusal(str(to[0])):
            raise OSError(errno.EACCES, why)
        return socket.socket(family, kind, protocol)

    return aiohttp.TCPConnector(
        resolver=_Checked(guard, resolver),
        socket_factory=open_socket,
        use_dns_cache=False,
        limit=0,
        force_close=True,
        ssl=tls or True,
    )


class _Checked(AbstractResolver):
    """Resolves names with `resolver`. Refuses a name if any of its addresses is refused."""

    def __init__(self, guard: AddressCheck, resolver: AbstractResolver) -> None:
        self._guard = guard
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        addresses = await self._resolver.resolve(host, port, family)
        for address in addresses:
            if why := self._guard.refusal(address["host"]):
                raise TransportError(f"{host} leads to {why}", permanent=True)
        return addresses

    async def close(self) -> None:
        await self._resolver.close()


def system_resolver() -> AbstractResolver:
    return aiohttp.AsyncResolver(timeout=DNS_SECONDS, tries=DNS_TRIES)
