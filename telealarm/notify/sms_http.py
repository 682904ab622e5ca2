"""SMS through an HTTP gateway, as its `settings` say (reference/data-model.md, sms gateway)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from telealarm.errors import TransportError

TIMEOUT_SECONDS = 15.0
# A gateway's answer is a few words.
_LONGEST_ANSWER = 64 * 1024
# Busy or broken at the moment; everything else above 399 is our fault and stays so.
_TEMPORARY = {408, 425, 429, 500, 502, 503, 504}


@dataclass(frozen=True)
class Sms:
    """`id` is the same each time the message is tried, so that a gateway can drop doubles."""

    id: str
    recipient: str
    sender: str
    text: str


@dataclass(frozen=True)
class Receipt:
    """The gateway took the message; `reference` is its own id for it, or empty."""

    reference: str


class HttpSmsSender:
    """Sends through any gateway; one connection pool for all. Close it when done."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, message: Sms, settings: Mapping[str, Any]) -> Receipt:
        """Hand `message` to the gateway. Raises TransportError with the gateway's words."""
        values = {
            "to": message.recipient,
            "from": message.sender,
            "text": message.text,
            "id": message.id,
        }
        headers = dict(settings.get("headers") or {})
        template = settings.get("body")
        if template is None:
            body = json.dumps(values)
            headers.setdefault("Content-Type", "application/json")
        else:
            body = _filled(template, values)
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
            )
        try:
            async with self._session.request(
                settings.get("method", "POST"),
                settings["url"],
                data=body.encode(),
                headers=headers,
                allow_redirects=False,
            ) as reply:
                said = (await reply.content.read(_LONGEST_ANSWER)).decode(errors="replace")
                return _receipt(reply.status, said, settings)
        except TimeoutError:
            raise TransportError(f"no answer within {TIMEOUT_SECONDS:g} s") from None
        except (aiohttp.InvalidURL, ValueError) as error:
            raise TransportError(
                f"{settings['url']} is no address: {error}", permanent=True
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            raise TransportError(f"not reached: {error}") from error


def _filled(template: str, values: Mapping[str, str]) -> str:
    """The body; in one that is JSON the values are escaped as JSON strings are."""
    is_json = template.lstrip()[:1] in ("{", "[")
    for name, value in values.items():
        escaped = json.dumps(value)[1:-1] if is_json else value
        template = template.replace("{" + name + "}", escaped)
    return template


def _receipt(status: int, said: str, settings: Mapping[str, Any]) -> Receipt:
    success = settings.get("success") or {}
    wanted = success.get("status")
    if status not in wanted if wanted else not 200 <= status < 300:
        raise TransportError(
            f"HTTP {status}: {said[:200]}".rstrip(": "), permanent=status not in _TEMPORARY
        )
    fields = success.get("json") or {}
    path = settings.get("message_id")
    answer: Any = None
    if fields or path:
        try:
            answer = json.loads(said)
        except (ValueError, RecursionError):
            if fields:
                raise TransportError(f"the answer is not JSON: {said[:200]}") from None
    for field, value in fields.items():
        found = _at(answer, field)
        if found != value and str(found) != str(value):
            raise TransportError(f"refused, {field} is {found!r}: {said[:200]}", permanent=True)
    reference = _at(answer, path) if path else None
    return Receipt("" if reference is None else str(reference)[:200])


def _at(answer: Any, path: str) -> Any:
    """The value at `messages.0.id`, or None."""
    for step in path.split("."):
        if isinstance(answer, dict):
            answer = answer.get(step)
        elif isinstance(answer, list) and step.isdigit() and int(step) < len(answer):
            answer = answer[int(step)]
        else:
            return None
    return answer
