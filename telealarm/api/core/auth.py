"""Logins: checks passwords and tokens, and limits how often they may be wrong."""

import asyncio
import hashlib
import hmac
import logging
import secrets
from collections import OrderedDict

from aiohttp import web

from telealarm.api.core import credentials
from telealarm.api.core.credentials import CHALLENGE, Password, Token
from telealarm.api.core.errors import ApiError
from telealarm.api.core.throttle import Throttle
from telealarm.clock import utcnow
from telealarm.errors import StorageError
from telealarm.models import ApiToken, User
from telealarm.store.access import passwords, tokens, users
from telealarm.store.engine.database import Database

log = logging.getLogger(__name__)

REMEMBERED = 1000
# An argon2id run takes 64 MiB and several cores for about 50 ms. A flood of logins must not slow
# down the calls.
RUNS_AT_ONCE = 2


class Logins:
    """Checks logins. It remembers the good ones, so that not every request pays for argon2id.

    It remembers a keyed digest of the credentials, and the hash that they matched. If the password
    changes, this entry no longer matches.

    A name or an address is refused with 429 if it was wrong ten times within the last minute. The
    right password is refused too: otherwise an attacker could go on guessing. All names at one
    address share the limit of the address. They do not share the limits of their names.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._key = secrets.token_bytes(32)
        self._known: OrderedDict[bytes, str] = OrderedDict()
        self._gate = asyncio.Semaphore(RUNS_AT_ONCE)
        self._names = Throttle()
        self._addresses = Throttle()

    async def login(self, request: web.Request) -> User:
        """Return the user of the request.

        Raises ApiError with 401, or with 429 after too many wrong attempts.
        """
        credential = credentials.read(request)
        address = credentials.address(request)
        if isinstance(credential, Token):
            return await self._by_token(credential, address)
        return await self._by_password(credential, address)

    async def hashed(self, password: str) -> str:
        """Return the hash of a new password."""
        async with self._gate:
            return await asyncio.to_thread(passwords.hashed, password)

    async def fingerprint(self, body: bytes, salt: bytes) -> str:
        """Return a fingerprint of a body that holds a password (see `passwords.fingerprint`)."""
        async with self._gate:
            return await asyncio.to_thread(passwords.fingerprint, body, salt)

    async def _by_token(self, sent: Token, address: str) -> User:
        # Wrong tokens are counted after the check: nobody can guess 256 bits. A program may start
        # with many requests at once, and all of them may be right.
        self._check_open(None, address)
        token = await self._db.read(tokens.recognise, sent.text)
        if token is None:
            self._check_open(None, address)
            self._addresses.count(address)
            raise ApiError(401, "Invalid token.", CHALLENGE)
        await self._note_use(token)
        return token.owner

    async def _note_use(self, token: ApiToken) -> None:
        now = utcnow()
        if tokens.is_news(token, now):
            try:
                await self._db.write(tokens.used, token, now)
            except StorageError as error:
                log.warning("the use of token %d was not noted: %s", token.id, error)

    async def _by_password(self, sent: Password, address: str) -> User:
        name = self._digest(sent.name).hex()  # has the same length for every name
        self._check_open(name, address)
        user = await self._db.read(users.by_name, sent.name)
        digest = self._digest(f"{sent.name}\0{sent.password}")
        if user is not None and self._remembers(digest, user):
            return user
        async with self._gate:
            if user is not None and self._remembers(digest, user):
                return user  # another request of the same program was faster
            self._check_open(name, address)
            counted = [
                (throttle, key, throttle.count(key))
                for throttle, key in ((self._names, name), (self._addresses, address))
            ]
            right = await asyncio.to_thread(_is_right, sent.password, user)
        if user is None or not right:
            raise ApiError(401, "Invalid username/password.", CHALLENGE)
        for throttle, key, at in counted:
            throttle.take_back(key, at)
        self._remember(digest, user)
        return user

    def _check_open(self, name: str | None, address: str) -> None:
        wait = self._addresses.wait_seconds(address)
        if name is not None:
            wait = max(wait, self._names.wait_seconds(name))
        if wait:
            raise ApiError(
                429,
                f"Too many wrong logins; try again in {wait} seconds.",
                {"Retry-After": str(wait)},
            )

    def _digest(self, text: str) -> bytes:
        return hmac.digest(self._key, text.encode(), hashlib.sha256)

    def _remembers(self, digest: bytes, user: User) -> bool:
        if not user.is_active:
            return False
        if not hmac.compare_digest(self._known.get(digest, ""), user.password_hash):
            return False
        self._known.move_to_end(digest)
        return True

    def _remember(self, digest: bytes, user: User) -> None:
        self._known[digest] = user.password_hash
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


def _is_right(password: str, user: User | None) -> bool:
    """Return whether the password is right.

    An unknown name takes the same time, so that the time gives nothing away.
    """
    right = passwords.matches(password, user.password_hash if user else passwords.nobodys())
    return right and user is not None and user.is_active
