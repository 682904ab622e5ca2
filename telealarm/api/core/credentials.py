"""What a request says of who asks: HTTP Basic, or a Bearer token; and where it came from."""

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
    """A login name and what is said to be its password."""

    name: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Token:
    """What is said to be a token (RFC 6750)."""

    text: str = field(repr=False)


def read(request: web.Request) -> Password | Token:
    """The credentials of a request. Raises Refused with 401 where there are none."""
    header = request.headers.get(hdrs.AUTHORIZATION)
    if header is None:
        raise ApiError(401, "Authentication credentials were not provided.", CHALLENGE)
    scheme, _, said = header.partition(" ")
    if scheme.lower() == "bearer":
        return _token(said.strip())
    return _password(scheme, said.strip())


def address(request: web.Request) -> str:
    """The peer of the connection; of IPv6 its /64, which one household or attacker has whole.

    X-Forwarded-For is ignored, since anybody can write it. Behind a reverse proxy every client
    has the proxy's address, and the limit of an address is one for all of them.
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
