"""What an HTTP gateway's answer means: taken, not now, never, or nobody can tell."""

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

# An answer is a few words; bytes.
_LONGEST_ANSWER = 1024 * 1024
_LONGEST_WAIT_SECONDS = 86_400.0
# What says "not now" below 500, and what says "never" from there on.
_NOT_NOW, _NEVER = {408, 425, 429}, {501, 505}


async def read(reply: aiohttp.ClientResponse, settings: Mapping[str, Any]) -> Receipt:
    """The receipt of a message that was taken, as the settings tell it. Raises TransportError.

    An answer that breaks off counts by its status; only what its words must tell stays unknown.
    """
    said, is_whole = await _said(reply.content)
    success = settings.get("success") or {}
    wanted = success.get("status")
    if reply.status not in wanted if wanted else not 200 <= reply.status < 300:
        raise _refusal(reply, said)
    fields, path = success.get("json") or {}, settings.get("message_id")
    found = None
    if fields or path:
        try:
            found = json.loads(said)
        except (ValueError, RecursionError):
            if fields:
                why = "is not JSON" if is_whole else "broke off"
                raise TransportError(f"the answer {why}: {said[:200]}", unknown=True) from None
    for field, value in fields.items():
        here = found_at(found, field)
        if here != value and str(here) != str(value):
            raise TransportError(f"refused, {field} is {here!r}: {said[:200]}", permanent=True)
    reference = found_at(found, path) if path else None
    is_id = isinstance(reference, str | int) and not isinstance(reference, bool)
    return Receipt(str(reference) if is_id else "", said[:200])


async def _said(content: aiohttp.StreamReader) -> tuple[str, bool]:
    """What the gateway says, as far as it is read, and whether that is all of it."""
    said = b""
    try:
        while len(said) < _LONGEST_ANSWER:
            some = await content.read(_LONGEST_ANSWER - len(said))
            if not some:
                return said.decode(errors="replace"), True
            said += some
    except (aiohttp.ClientError, OSError):
        pass  # it broke off or is too slow; its status counts all the same
    return said.decode(errors="replace"), False


def _refusal(reply: aiohttp.ClientResponse, said: str) -> TransportError:
    status = reply.status
    not_now = status in _NOT_NOW or (status >= 500 and status not in _NEVER)
    return TransportError(
        f"HTTP {status}: {_redirected(reply) or said[:200]}".rstrip(": "),
        permanent=not not_now,
        wait_seconds=_wait_seconds(reply.headers.get("Retry-After", "")) if not_now else 0.0,
    )


def _redirected(reply: aiohttp.ClientResponse) -> str:
    """Where a redirect leads, which is not followed; without what may be a password."""
    if not 300 <= reply.status < 400:
        return ""
    try:
        parts = urlsplit(reply.headers.get("Location", ""))
        return f"it leads to {parts.scheme}://{parts.hostname}{parts.path}; correct the url"
    except ValueError:
        return "it leads elsewhere; correct the url"


def _wait_seconds(text: str) -> float:
    """For how long a Retry-After (RFC 9110 10.2.3: seconds, or a date) asks; 0: it does not."""
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
