"""The credentials of a request: HTTP Basic or a Bearer token."""

import base64
import binascii
from dataclasses import dataclass, field

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
