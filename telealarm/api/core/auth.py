"""Logins: checks passwords and tokens, and limits how often they may be wrong."""

import asyncio
import hashlib
import hmac
import logging
import secrets
from collections import OrderedDict
from typing import TypeVar

from aiohttp import web

from telealarm import clock
from telealarm.api.core import credentials
from telealarm.api.core.addresses import Proxies
from telealarm.api.core.credentials import CHALLENGE, Password, Token
from telealarm.api.core.errors import ApiError
from telealarm.api.core.throttle import Throttle
from telealarm.clock import utcnow
from telealarm.errors import StorageError
from telealarm.models import ApiToken, User
from telealarm.store.access import passwords, tokens, users
from telealarm.store.engine.database import Database

log = logging.getLogger(__name__)

K = TypeVar("K")
V = TypeVar("V")

REMEMBERED = 1000
# An argon2id run takes 64 MiB and several cores for about 50 ms. A flood of logins must not slow
# down the calls. Who comes when so many wait is refused at once.
RUNS_AT_ONCE, RUNS_WAITING = 2, 20
# Where a password was right, a lock-out does not concern it for so long.
KNOWN_SECONDS = 86_400.0


class Logins:
    """Checks logins. It remembers the good ones, so that not every request pays for argon2id.

    It remembers a keyed digest of the credentials, and the hash that they matched. If the password
    changes, this entry no longer matches.

    A name or an address is refused with 429 if it was wrong ten times within the last minute. The
    right password is refused too: otherwise an attacker could go on guessing. All names at one
    address share the limit of the address. They do not share the limits of their names. A lock-out
    never keeps out a valid token, nor a password that was right from the same address within a day:
    behind a proxy, or in an office, one wrong program would lock out everybody.
    """

    def __init__(self, db: Database, proxies: Proxies) -> None:
        self._db = db
        self._proxies = proxies
        self._key = secrets.token_bytes(32)
        self._known: OrderedDict[bytes, str] = OrderedDict()
        # When a login was right last, by digest and address, the longest ago first.
        self._right: OrderedDict[tuple[bytes, str], float] = OrderedDict()
        # The runs of argon2id that wait or go on. Requests of one program share one.
        self._runs: dict[bytes, asyncio.Task[bool]] = {}
        self._gate = asyncio.Semaphore(RUNS_AT_ONCE)
        self._names = Throttle()
        self._addresses = Throttle()

    async def login(self, request: web.Request) -> User:
        """Return the user of the request.

        Raises ApiError with 401, or with 429 after too many wrong attempts.
        """
        credential = credentials.read(request)
        address = self._proxies.client(request)
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
        # A token is checked even during a lock-out: nobody can guess its 256 bits.
        token = await self._db.read(tokens.recognise, sent.text)
        if token is None:
            self._check_open(None, address)
            self._addresses.count(address)
            raise ApiError(401, "Invalid token.", CHALLENGE)
        await self._note_use(token)
        token.owner.token_id = token.id
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
        digest = self._digest(f"{sent.name}\0{sent.password}")
        if not self._was_right(digest, address):
            self._check_open(name, address)
        user = await self._db.read(users.by_name, sent.name)
        if user is None or not self._remembers(digest, user):
            await self._check(sent.password, user, digest, name, address)
        assert user is not None
        _keep(self._right, (digest, address), clock.monotonic())
        return user

    async def _check(
        self, password: str, user: User | None, digest: bytes, name: str, address: str
    ) -> None:
        """Check a password that is not known. Raises ApiError if it is wrong.

        It is counted as wrong before it waits for its turn, so that guesses never fill the queue.
        """
        run = self._runs.get(digest)
        counted: list[tuple[Throttle, str, float]] = []
        if run is None:
            self._check_open(name, address)
            if len(self._runs) >= RUNS_AT_ONCE + RUNS_WAITING:
                raise ApiError(429, "Too many logins are being checked.", {"Retry-After": "1"})
            counted = [
                (throttle, key, throttle.count(key))
                for throttle, key in ((self._names, name), (self._addresses, address))
            ]
            run = self._runs[digest] = asyncio.create_task(self._run(password, user))
            run.add_done_callback(lambda _: self._runs.pop(digest, None))
        right = await asyncio.shield(run)
        if user is None or not right:
            raise ApiError(401, "Invalid username/password.", CHALLENGE)
        for throttle, key, at in counted:
            throttle.take_back(key, at)
        _keep(self._known, digest, user.password_hash)

    async def _run(self, password: str, user: User | None) -> bool:
        async with self._gate:
            return await asyncio.to_thread(_is_right, password, user)

    def _was_right(self, digest: bytes, address: str) -> bool:
        at = self._right.get((digest, address))
        return at is not None and clock.monotonic() - at < KNOWN_SECONDS

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


def _keep(memory: OrderedDict[K, V], key: K, value: V) -> None:
    """Keep a value as the newest. The oldest one goes if there are too many."""
    memory[key] = value
    memory.move_to_end(key)
    while len(memory) > REMEMBERED:
        memory.popitem(last=False)


def _is_right(password: str, user: User | None) -> bool:
    """Return whether the password is right.

    An unknown name takes the same time, so that the time gives nothing away.
    """
    right = passwords.matches(password, user.password_hash if user else None)
    return right and user is not None and user.is_active
