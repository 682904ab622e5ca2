"""Errors as replies: JSON with `detail`, or with a list of messages for each wrong field."""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import hdrs, web

from telealarm.errors import (
    Busy,
    Conflict,
    IllegalTransition,
    Invalid,
    NotVisible,
    Stale,
    StorageError,
    TeleAlarmError,
)

log = logging.getLogger(__name__)

# The seconds that a handler may take.
TIME_LIMIT = 30.0
RETRY_AFTER = {"Retry-After": "5"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ApiError(TeleAlarmError):
    """The request cannot be served as it is."""

    code = "refused"

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers or {}


class Undecodable(ApiError):
    """The body is not in the Content-Encoding that its headers name.

    aiohttp closes the connection.
    """

    def __init__(self) -> None:
        detail = "The body is not in the encoding that its headers name."
        super().__init__(400, detail, {"Connection": "close"})


def reply(status: int, body: Any, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return a JSON reply."""
    return web.json_response(body, status=status, headers=headers)


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id and a time limit, and turn every exception into a reply."""
    request_id = uuid.uuid4().hex
    try:
        async with asyncio.timeout(TIME_LIMIT):
            response = await handler(request)
    except TeleAlarmError as error:
        response = _of_ours(error, request_id)
    except web.HTTPException as error:
        response = _of_http(request, error)
    except TimeoutError:
        log.error("%s %s took too long, id %s", request.method, request.path, request_id)
        response = reply(503, {"detail": "This took too long; try again later."}, RETRY_AFTER)
    except Exception:
        log.exception("%s %s failed, id %s", request.method, request.path, request_id)
        response = reply(500, {"detail": f"An unexpected error; its id is {request_id}."})
    response.headers["X-Request-ID"] = request_id
    return response


def _of_ours(error: TeleAlarmError, request_id: str) -> web.Response:
    if isinstance(error, ApiError):
        return reply(error.status, {"detail": str(error)}, error.headers)
    if isinstance(error, Invalid):
        return reply(400, error.fields)
    if isinstance(error, NotVisible):
        return reply(404, {"detail": "Not found."})
    if isinstance(error, Busy):
        return reply(409, {"detail": str(error)}, {"Retry-After": "1"})
    if isinstance(error, Conflict | Stale | IllegalTransition):
        return reply(409, {"detail": str(error)})
    if isinstance(error, StorageError):
        log.error("storage failed, id %s: %s", request_id, error)
        return reply(503, {"detail": error.reply}, RETRY_AFTER)
    log.error("unexpected error, id %s", request_id, exc_info=error)
    return reply(500, {"detail": f"An unexpected error; its id is {request_id}."})


def _of_http(request: web.Request, error: web.HTTPException) -> web.Response:
    allow = error.headers.get(hdrs.ALLOW)
    headers = {"Allow": allow} if allow else None
    detail = f"{error.reason}."
    if error.status == 404 and not request.path.endswith("/"):
        detail = "Not found. The paths of this API end with a slash."
    if error.status == 413:
        detail = "The body is too large; 1 MiB is the most."
    return reply(error.status, {"detail": detail}, headers)
