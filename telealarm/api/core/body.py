"""Reading the body of a request."""

import json
from typing import Any, NoReturn

from aiohttp import ClientPayloadError, web

from telealarm.api.core.errors import ApiError, Undecodable


async def whole(request: web.Request) -> bytes:
    """All that was sent, whatever it is. Raises Refused, or Undecodable."""
    try:
        return await request.read()
    except web.RequestPayloadError as error:
        raise Undecodable from error
    except (ClientPayloadError, ConnectionError) as error:
        raise ApiError(400, "The body broke off.") from error


async def read(request: web.Request) -> dict[str, Any]:
    """The JSON object that was sent; an empty body is an empty object.

    Raises Refused with 400 for what is no JSON object and 415 for another Content-Type. A body
    over the application's `client_max_size` is aiohttp's 413.
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
        # A lone surrogate (\\ud800) is no character, and could not be said back.
        "".join(body if isinstance(body, dict) else ()).encode("utf-8")
    except (ValueError, RecursionError) as error:
        said = error.msg if isinstance(error, json.JSONDecodeError) else "it cannot be read"
        raise ApiError(400, f"JSON parse error - {said}") from None
    if not isinstance(body, dict):
        raise ApiError(400, 'The body must be a JSON object like {"name": "value"}.')
    return body


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
