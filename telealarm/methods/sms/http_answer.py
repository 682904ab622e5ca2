"""What an HTTP gateway's answer means: taken, not now, never, or unknown."""

import json
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from telealarm.clock import utcnow
from telealarm.errors import TransportError
from telealarm.methods.sms.provider import found_at
from telealarm.rules.delivery import Receipt

# In bytes. An answer has only a few words.
_LONGEST_ANSWER = 1024 * 1024
_LONGEST_WAIT_SECONDS = 86_400.0
# Statuses below 500 that mean "not now", and statuses from 500 on that mean "never".
_NOT_NOW, _NEVER = {408, 425, 429}, {501, 505}


async def read(reply: aiohttp.ClientResponse, settings: Mapping[str, Any]) -> Receipt:
    """Return the receipt of a message that the gateway took. Raise TransportError if it did not.

    The settings say which answers mean success. If an answer breaks off, its status still counts.
    The result is unknown only if the settings also ask for fields of the answer.
    """
    text, is_whole = await _text_of(reply.content)
    success = settings.get("success") or {}
    wanted = success.get("status")
    if reply.status not in wanted if wanted else not 200 <= reply.status < 300:
        raise _refusal(reply, text)
    fields, path = success.get("json") or {}, settings.get("message_id")
    answer = None
    if fields or path:
        try:
            answer = json.loads(text)
        except (ValueError, RecursionError):
            if fields:
                why = "is not JSON" if is_whole else "broke off"
                raise TransportError(f"the answer {why}: {text[:200]}", unknown=True) from None
    for field, value in fields.items():
        here = found_at(answer, field)
        if here != value and str(here) != str(value):
            raise TransportError(f"refused, {field} is {here!r}: {text[:200]}", permanent=True)
    reference = found_at(answer, path) if path else None
    is_id = isinstance(reference, str | int) and not isinstance(reference, bool)
    return Receipt(str(reference) if is_id else "", text[:200])


async def _text_of(content: aiohttp.StreamReader) -> tuple[str, bool]:
    """Return the text of the answer, as far as it is read, and whether it is complete."""
    body = b""
    try:
        while len(body) < _LONGEST_ANSWER:
            some = await content.read(_LONGEST_ANSWER - len(body))
            if not some:
                return body.decode(errors="replace"), True
            body += some
    except (aiohttp.ClientError, OSError):
        pass  # the answer broke off or is too slow; its status still counts
    return body.decode(errors="replace"), False


def _refusal(reply: aiohttp.ClientResponse, text: str) -> TransportError:
    status = reply.status
    not_now = status in _NOT_NOW or (status >= 500 and status not in _NEVER)
    return TransportError(
        f"HTTP {status}: {_redirected(reply) or text[:200]}".rstrip(": "),
        permanent=not not_now,
        wait_seconds=_wait_seconds(reply.headers.get("Retry-After", "")) if not_now else 0.0,
    )


def _redirected(reply: aiohttp.ClientResponse) -> str:
    """Return where a redirect leads, without parts that may hold a password. It is not followed."""
    if not 300 <= reply.status < 400:
        return ""
    try:
        parts = urlsplit(reply.headers.get("Location", ""))
        return f"it leads to {parts.scheme}://{parts.hostname}{parts.path}; correct the url"
    except ValueError:
        return "it leads elsewhere; correct the url"


def _wait_seconds(text: str) -> float:
    """Return the seconds of a Retry-After (RFC 9110 10.2.3: seconds, or a date), or 0."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), _LONGEST_WAIT_SECONDS)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max(0.0, (until - utcnow()).total_seconds()), _LONGEST_WAIT_SECONDS)
