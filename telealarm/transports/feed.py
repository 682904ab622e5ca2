"""Requests to the sources of calendar feeds: to permitted addresses only, with limits.

Every connection is checked by the guard when it is opened, as those of webhooks are. A redirect is
followed after the same checks, and the login goes to the first host only. What a source sends is
read up to a limit of bytes, and within a limit of time.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin

import aiohttp
from aiohttp import hdrs

from telealarm.clock import utcnow
from telealarm.errors import TransportError
from telealarm.transports.http import GuardedPool

# The time limit of a request with its redirects, and for the next piece of an answer.
TIMEOUT_SECONDS, SILENCE_SECONDS = 60.0, 20.0
MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_CHUNK = 65_536
_TELLS_WHEN = (429, 503)


@dataclass(frozen=True)
class Login:
    """The login at a source. Without a name none is sent."""

    username: str = ""
    password: str = field(default="", repr=False)

    @property
    def header(self) -> Mapping[str, str]:
        if not self.username:
            return {}
        basic = aiohttp.encode_basic_auth(self.username, self.password)
        return {str(hdrs.AUTHORIZATION): basic}


@dataclass(frozen=True)
class Question:
    """A request. `seconds`: its time limit; `most_bytes`: what may come back."""

    url: str
    most_bytes: int
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    login: Login = Login()
    seconds: float | None = None
    # The login is for the origin of this address. Empty: for that of `url`.
    login_for: str = ""


@dataclass(frozen=True)
class Answer:
    """The answer. `url` is where it came from, after the redirects."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


class FeedTransport(GuardedPool):
    """Asks sources."""

    async def ask(self, question: Question) -> Answer:
        """Return the answer of the source, whatever its status is.

        Raises TransportError: the address is not permitted, nobody answered in time, or too much
        came back.
        """
        seconds = question.seconds or TIMEOUT_SECONDS
        try:
            async with asyncio.timeout(seconds):
                return await self._follow(question)
        except TimeoutError:
            raise TransportError(f"the source did not answer within {seconds:g} s") from None
        except ValueError as error:  # aiohttp.InvalidURL is one
            raise TransportError(f"the address is not valid: {error}", permanent=True) from error
        except (aiohttp.ClientError, OSError) as error:
            raise TransportError(f"the source was not reached: {error}") from error

    async def _follow(self, question: Question) -> Answer:
        url, origin = question.url, self._check(question.login_for or question.url)
        for _ in range(MOST_REDIRECTS + 1):
            same = self._check(url) == origin
            answer = await self._ask(question, url, question.login.header if same else {})
            to = answer.headers.get(hdrs.LOCATION, "")
            if answer.status not in _REDIRECTS or not to:
                return answer
            following = urljoin(url, to)
            if url.startswith("https:") and not following.startswith("https:"):
                raise TransportError("the source leads from https to http", permanent=True)
            url = following
        raise TransportError(f"the source leads on more than {MOST_REDIRECTS} times")

    def _check(self, url: str) -> str:
        """Return the origin of a permitted address. Raises TransportError."""
        try:
            return str(self._guard.check(url).origin)
        except ValueError as error:
            raise TransportError(f"the address is not permitted: {error}", permanent=True) from None

    async def _ask(self, question: Question, url: str, login: Mapping[str, str]) -> Answer:
        headers = {
            "User-Agent": "TeleAlarm",
            "Accept-Encoding": "identity",
            **question.headers,
            **login,
        }
        async with self._open().request(
            question.method,
            url,
            headers=headers,
            data=question.body.encode() or None,
            allow_redirects=False,
        ) as reply:
            if reply.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
                raise TransportError("the source compresses its answer, although it may not")
            if (reply.content_length or 0) > question.most_bytes:
                raise _too_much(question)
            body = bytearray()
            async for chunk in reply.content.iter_chunked(_CHUNK):
                body += chunk
                if len(body) > question.most_bytes:
                    raise _too_much(question)
            return Answer(reply.status, reply.headers.copy(), bytes(body), url)

    def _timeout(self) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(total=None, sock_read=SILENCE_SECONDS)


def refused(answer: Answer) -> TransportError:
    """Return the error for an answer that is not what was asked for."""
    words = {
        401: "the source refuses the login",
        403: "the source refuses the login, or the address is a secret one that has changed",
        404: "the source has nothing at this address",
        410: "the source is gone",
    }
    about = words.get(answer.status, "the source failed")
    wait = _wait_seconds(answer.headers.get(hdrs.RETRY_AFTER, ""))
    return TransportError(
        f"{about} (HTTP {answer.status})",
        wait_seconds=wait if answer.status in _TELLS_WHEN else 0.0,
    )


def _wait_seconds(text: str) -> float:
    """Return the seconds of a Retry-After, which is a number or a date (RFC 9110 10.2.3)."""
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max(0.0, (_aware(at) - utcnow()).total_seconds())


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _too_much(question: Question) -> TransportError:
    return TransportError(
        f"the source sends more than {question.most_bytes / 1_000_000:g} MB"
        " (feeds.max_megabytes of the configuration)"
    )
