"""Who asks: checks passwords and tokens, and how often they may be wrong."""

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
# An argon2id run takes 64 MiB and several cores for some 50 ms; calls shall not feel a flood.
RUNS_AT_ONCE = 2


class Logins:
    """Checks logins, and remembers the good ones so that not each request pays for argon2id.

    What is remembered is a keyed digest of the credentials and the hash that they matched; a
    password that is changed makes it worthless.

    A name, and an address, that was wrong ten times in a minute is refused with 429 until less
    than that is within the last minute. It is refused whatever it sends: if the right password
    passed, guessing could go on. Other names at an address feel its limit, not each other's.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._key = secrets.token_bytes(32)
        self._known: OrderedDict[bytes, str] = OrderedDict()
        self._gate = asyncio.Semaphore(RUNS_AT_ONCE)
        self._names = Throttle()
        self._addresses = Throttle()

    async def login(self, request: web.Request) -> User:
        """The user who asks. Raises Refused with 401, or 429 after too many wrong attempts."""
        said = credentials.read(request)
        address = credentials.address(request)
        if isinstance(said, Token):
            return await self._by_token(said, address)
        return await self._by_password(said, address)

    async def hashed(self, password: str) -> str:
        """The hash to keep of a new password."""
        async with self._gate:
            return await asyncio.to_thread(passwords.hashed, password)

    async def fingerprint(self, body: bytes, salt: bytes) -> str:
        """What tells a body that holds a password from another, see store.passwords."""
        async with self._gate:
            return await asyncio.to_thread(passwords.fingerprint, body, salt)

    async def _by_token(self, said: Token, address: str) -> User:
        # Counted afterwards: nobody guesses 256 bits, and a program may well begin with many
        # requests at once, all of them right.
        self._check_open(None, address)
        token = await self._db.read(tokens.recognise, said.text)
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

    async def _by_password(self, said: Password, address: str) -> User:
        name = self._digest(said.name).hex()  # as long for every name
        self._check_open(name, address)
        user = await self._db.read(users.by_name, said.name)
        digest = self._digest(f"{said.name}\0{said.password}")
        if user is not None and self._remembers(digest, user):
            return user
        async with self._gate:
            if user is not None and self._remembers(digest, user):
                return user  # another request of the same program was quicker
            self._check_open(name, address)
            counted = [
                (throttle, key, throttle.count(key))
                for throttle, key in ((self._names, name), (self._addresses, address))
            ]
            right = await asyncio.to_thread(_is_right, said.password, user)
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
    """Takes as long for a name that nobody has, so that the time does not tell."""
    right = passwords.matches(password, user.password_hash if user else passwords.nobodys())
    return right and user is not None and user.is_active
