"""Idempotency-Key: a POST that is sent again is answered again, and not carried out again."""

import hashlib
from collections.abc import Callable

from aiohttp import web

from telealarm.api.core.auth import Logins
from telealarm.api.core.errors import ApiError, reply
from telealarm.api.core.request_context import RequestContext
from telealarm.errors import Busy
from telealarm.store.access import idempotency
from telealarm.store.access.idempotency import Answer, Post
from telealarm.store.engine.database import Database

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
LONGEST_KEY = 255


class Once:
    """Carries out what a request asks for, in one write. One for an application.

    The answer to a POST with a key is kept for 24 hours, for its login and path. It comes again
    for the same key and body, with `Idempotent-Replayed: true`; another body with the key is 409,
    and so is a second request while the first is being worked on (`Retry-After: 1`). What was
    refused made nothing and is not kept: the key can be used again with a mended body.
    """

    def __init__(self, db: Database, logins: Logins) -> None:
        self._db = db
        self._logins = logins
        self._working: set[tuple[int, str, str]] = set()

    async def write(
        self,
        request: web.Request,
        visit: RequestContext,
        work: Callable[[], Answer],
        *,
        body: bytes,
        secret: bool = False,
    ) -> web.Response:
        """Run `work` within a write, and answer as it says.

        `body` is what the request asks for, as it was sent. `secret`: it holds a password.
        """
        key = _key(request)
        if key is None:
            return _response(await self._db.write(work))
        post = (visit.user_id, request.path, key)
        if post in self._working:
            raise Busy
        self._working.add(post)
        try:
            digest = await self._digest(body, post, secret=secret)
            kept = Post(*post, digest)
            return _response(await self._db.write(idempotency.once, kept, work, visit.now))
        finally:
            self._working.remove(post)

    async def _digest(self, body: bytes, post: tuple[int, str, str], *, secret: bool) -> str:
        """A fast digest of a body with a password would let a thief of the database guess it."""
        if not secret:
            return hashlib.sha256(body).hexdigest()
        salt = "\0".join(map(str, post)).encode()
        return await self._logins.fingerprint(body, salt)


def _key(request: web.Request) -> str | None:
    """The key of a POST. Raises Refused with 400 for one that is none."""
    if request.method != "POST" or HEADER not in request.headers:
        return None
    keys = request.headers.getall(HEADER)
    key = keys[0].strip()
    if len(keys) > 1 or not 0 < len(key) <= LONGEST_KEY or not _is_printable(key):
        raise ApiError(
            400, f"{HEADER} must be one key of 1 to {LONGEST_KEY} printable ASCII characters."
        )
    return key


def _is_printable(key: str) -> bool:
    return key.isascii() and key.isprintable()


def _response(answer: Answer) -> web.Response:
    response = reply(answer.status, answer.body, answer.headers)
    if answer.replayed:
        response.headers[REPLAYED] = "true"
    return response
