"""Idempotency-Key: a repeated POST gets the first answer again. It is not carried out again."""

import hashlib
from collections.abc import Callable
from typing import TypeVarTuple

from aiohttp import web

from telealarm.api.core.auth import Logins
from telealarm.api.core.errors import ApiError, reply
from telealarm.api.core.request_context import RequestContext
from telealarm.errors import Busy, Done
from telealarm.store.access import idempotency
from telealarm.store.access.idempotency import Answer, Post
from telealarm.store.engine.database import Database

Ts = TypeVarTuple("Ts")

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
LONGEST_KEY = 255


class Once:
    """Carries out a request in one write. An application has one instance.

    The answer to a POST with a key is kept for 24 hours, for its login and path, if it is not too
    long. The same key and body get this answer again, with `Idempotent-Replayed: true`. If the
    answer is not kept, they get 409, with the Location of what was made. The same key with another
    body gets 409. A second request gets 409 too while the first is running (`Retry-After: 1`).

    A refused request changed nothing, and its answer is not kept. The client can use the key again
    with a corrected body.
    """

    def __init__(self, db: Database, logins: Logins) -> None:
        self._db = db
        self._logins = logins
        self._working: set[tuple[int, str, str]] = set()

    async def write(
        self,
        request: web.Request,
        context: RequestContext,
        work: Callable[[*Ts], Answer],
        *arguments: *Ts,
        body: bytes,
        secret: bool = False,
    ) -> web.Response:
        """Run `work(*arguments)` within a write, and return its answer.

        `body` is the body of the request as it was sent. `secret`: the body holds a password.
        """
        key = _key(request)
        if key is None:
            return _response(await self._db.write(work, *arguments))
        post = (context.user_id, request.path, key)
        if post in self._working:
            raise Busy
        self._working.add(post)
        try:
            digest = await self._digest(body, post, secret=secret)
            kept = Post(*post, digest)
            answer = await self._db.write(
                idempotency.once, kept, lambda: work(*arguments), context.now
            )
            return _response(answer)
        except Done as error:
            headers = {"Location": error.link} if error.link else {}
            raise ApiError(409, str(error), headers) from None
        finally:
            self._working.remove(post)

    async def _digest(self, body: bytes, post: tuple[int, str, str], *, secret: bool) -> str:
        """Return the digest of a body.

        A body with a password needs a slow digest: with a fast one, a thief of the database could
        guess the password.
        """
        if not secret:
            return hashlib.sha256(body).hexdigest()
        salt = "\0".join(map(str, post)).encode()
        return await self._logins.fingerprint(body, salt)


def _key(request: web.Request) -> str | None:
    """Return the key of a POST, or None. Raises ApiError with 400 if the key is not valid."""
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
