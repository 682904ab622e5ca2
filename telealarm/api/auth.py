"""Who asks: HTTP Basic."""

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
from collections import OrderedDict

from aiohttp import hdrs, web

from telealarm.api.errors import Refused
from telealarm.api.texts import safe
from telealarm.models import User
from telealarm.store import accounts, passwords
from telealarm.store.database import Database

CHALLENGE = {"WWW-Authenticate": 'Basic realm="TeleAlarm", charset="UTF-8"'}
REMEMBERED = 1000
# An argon2id check takes 64 MiB for some 50 ms.
CHECKS_AT_ONCE = 2


class Logins:
    """Checks logins, and remembers the good ones so that not each request pays for argon2id.

    What is remembered is a keyed digest of the credentials and the hash that they matched; a
    password that is changed makes it worthless.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._key = secrets.token_bytes(32)
        self._known: OrderedDict[bytes, str] = OrderedDict()
        self._gate = asyncio.Semaphore(CHECKS_AT_ONCE)

    async def login(self, request: web.Request) -> User:
        """The user who asks. Raises Refused with 401."""
        header = request.headers.get(hdrs.AUTHORIZATION)
        if header is None:
            raise Refused(401, "Authentication credentials were not provided.", CHALLENGE)
        name, password = _credentials(header)
        user = await self._db.read(lambda: accounts.by_name(name))
        if user is None:
            await self.hashed(password)  # as long as a check takes, so that the time does not tell
        elif await self._matches(name, password, user.password_hash) and user.is_active:
            return user
        raise Refused(401, "Invalid username/password.", CHALLENGE)

    async def hashed(self, password: str) -> str:
        """The hash to keep of a new password."""
        async with self._gate:
            return await asyncio.to_thread(passwords.hashed, password)

    async def _matches(self, name: str, password: str, password_hash: str) -> bool:
        text = f"{name}\0{password}".encode()
        digest = hmac.digest(self._key, text, hashlib.sha256)
        if hmac.compare_digest(self._known.get(digest, ""), password_hash):
            self._known.move_to_end(digest)
            return True
        async with self._gate:
            if not await asyncio.to_thread(passwords.matches, password, password_hash):
                return False
        self._known[digest] = password_hash
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return True


def _credentials(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        text = ""
    name, colon, password = text.partition(":")
    if scheme.lower() != "basic" or not colon or not safe(text) or len(text) > 1000:
        raise Refused(401, "Invalid basic header.", CHALLENGE)
    return name, password
