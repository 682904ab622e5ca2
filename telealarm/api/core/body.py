"""Reading the body of a request."""

import json
from typing import Any, NoReturn

from aiohttp import ClientPayloadError, hdrs, web

from telealarm.api.core.errors import ApiError, Undecodable


def refuse_packed(request: web.Request) -> None:
    """Raise ApiError for a compressed body: half a megabyte of it may hold half a gigabyte."""
    encoding = request.headers.get(hdrs.CONTENT_ENCODING, "identity").strip().lower()
    if encoding != "identity":
        raise ApiError(415, "The body must not be compressed; send it without Content-Encoding.")


async def whole(request: web.Request) -> bytes:
    """Return the whole body as bytes. Raises ApiError, or Undecodable."""
    refuse_packed(request)
    try:
        return await request.read()
    except web.RequestPayloadError as error:
        raise Undecodable from error
    except (ClientPayloadError, ConnectionError) as error:
        raise ApiError(400, "The body ended too early.") from error


async def read(request: web.Request) -> dict[str, Any]:
    """Return the JSON object of the body. An empty body is an empty object.

    Raises ApiError with 400 if the body is not a JSON object, and with 415 for another
    Content-Type. If the body is over the application's `client_max_size`, aiohttp answers 413.
    """
    raw = await whole(request)
    if not raw:
        return {}
    charset = (request.charset or "utf-8").lower()
    if request.content_type != "application/json" or charset not in ("utf-8", "utf8"):
        sent = request.headers.get("Content-Type", "none")[:100]
        raise ApiError(
            415, f'Unsupported media type "{sent}" in request; send application/json in UTF-8.'
        )
    try:
        body = json.loads(raw.decode("utf-8"), parse_constant=_refuse)
        # A lone surrogate (\\ud800) is not a character. A reply could not repeat it.
        "".join(body if isinstance(body, dict) else ()).encode("utf-8")
    except (ValueError, RecursionError) as error:
        message = error.msg if isinstance(error, json.JSONDecodeError) else "it cannot be read"
        raise ApiError(400, f"JSON parse error - {message}") from None
    if not isinstance(body, dict):
        raise ApiError(400, 'The body must be a JSON object like {"name": "value"}.')
    return body


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
