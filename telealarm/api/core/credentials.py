"""The credentials of a request (HTTP Basic or a Bearer token), and its address."""

import base64
import binascii
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network

from aiohttp import hdrs, web

from telealarm.api.core.errors import ApiError
from telealarm.rules.text import safe

CHALLENGE = {
    "WWW-Authenticate": 'Basic realm="TeleAlarm", charset="UTF-8", Bearer realm="TeleAlarm"'
}
LONGEST = 1000


@dataclass(frozen=True)
class Password:
    """A login name, and a password that is not checked yet."""

    name: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Token:
    """A token (RFC 6750) that is not checked yet."""

    text: str = field(repr=False)


def read(request: web.Request) -> Password | Token:
    """Return the credentials of a request. Raises ApiError with 401 if there are none."""
    header = request.headers.get(hdrs.AUTHORIZATION)
    if header is None:
        raise ApiError(401, "Authentication credentials were not provided.", CHALLENGE)
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return _token(value.strip())
    return _password(scheme, value.strip())


def address(request: web.Request) -> str:
    """Return the peer of the connection. For IPv6, return its /64 network.

    One household or one attacker usually has a whole /64. X-Forwarded-For is ignored: any client
    can write it. Behind a reverse proxy every client has the proxy's address. Then all clients
    share the limit of that address.
    """
    try:
        peer = ip_address((request.remote or "").partition("%")[0])
    except ValueError:
        return request.remote or ""
    if isinstance(peer, IPv6Address):
        return str(peer.ipv4_mapped or ip_network((peer, 64), strict=False))
    return str(peer)


def _token(text: str) -> Token:
    if not text or not text.isascii() or not text.isprintable() or len(text) > LONGEST:
        raise ApiError(401, "Invalid bearer header.", CHALLENGE)
    return Token(text)


def _password(scheme: str, encoded: str) -> Password:
    try:
        text = base64.b64decode(encoded, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        text = ""
    name, colon, password = text.partition(":")
    if scheme.lower() != "basic" or not colon or not safe(text) or len(text) > LONGEST:
        raise ApiError(401, "Invalid basic header.", CHALLENGE)
    return Password(name, password)
