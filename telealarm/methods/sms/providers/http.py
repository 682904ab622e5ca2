"""A gateway that takes messages over HTTP: a provider's, or the operator's."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit
from xml.sax.saxutils import escape as escape_xml

import aiohttp

from telealarm.errors import TransportError
from telealarm.methods.sms import http_answer
from telealarm.methods.sms.provider import (
    OutgoingSms,
    SmsProvider,
    SmsTransports,
    filled,
    one_line,
    only,
)
from telealarm.rules.delivery import Receipt

TIMEOUT_SECONDS = 15.0
CONNECT_SECONDS = 5.0
_LONGEST_URL = 500
_HEADER = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
# These headers follow from the body. Any other value would break the request.
_FRAMING = {"content-length", "transfer-encoding", "connection", "expect"}
# The fields of a delivery report and of a reply. A gateway may have other names for them.
_HOOKS = {
    "report": {"id", "status", "said", "delivered", "failed"},
    "inbound": {"id", "from", "text"},
}
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"


class HttpProvider(SmsProvider):
    """One request for each message. {to}, {from}, {text} and {id} go into url, headers and body."""

    name = "http"

    def check(self, settings: Mapping[str, Any]) -> None:
        known = {"url", "method", "headers", "body", "success", "message_id", "sender", *_HOOKS}
        only(settings, known, "settings")
        _check_url(settings.get("url"))
        if settings.get("method", "POST") not in ("POST", "PUT", "GET"):
            raise ValueError("method: must be POST, PUT or GET")
        _check_headers(settings.get("headers", {}))
        if not isinstance(settings.get("body", ""), str):
            raise ValueError("body: must be a text")
        for name in ("message_id", "sender"):
            one_line(settings.get(name, ""), name)
        _check_success(settings.get("success", {}))
        for name, fields in _HOOKS.items():
            only(settings.get(name, {}), fields, name)
            for field, value in settings.get(name, {}).items():
                _check_hook(f"{name}.{field}", value, is_list=field in ("delivered", "failed"))

    def schema(self) -> dict[str, Any]:
        text = {"type": "string", "pattern": r"^[\x20-\x7e]*$"}
        texts = {"type": "array", "items": text}
        status = {"type": "integer", "minimum": 100, "maximum": 599}

        def thing(properties: dict[str, Any]) -> dict[str, Any]:
            return {"type": "object", "properties": properties, "additionalProperties": False}

        return {
            **thing(
                {
                    "url": {
                        "type": "string",
                        "pattern": r"^https?://[A-Za-z0-9.-]+(?::[1-9][0-9]{0,3})?(?:/[^\s]*)?$",
                        "maxLength": _LONGEST_URL,
                    },
                    "method": {"type": "string", "enum": ["POST", "PUT", "GET"]},
                    "headers": {
                        "type": "object",
                        "propertyNames": {"pattern": "^[A-Za-z0-9_-]+$"},
                        "additionalProperties": text,
                    },
                    "body": {"type": "string", "pattern": r"^[\x20-\x7e\xa0-\xff]*$"},
                    "success": thing(
                        {
                            "status": {"type": "array", "items": status},
                            "json": {"type": "object", "additionalProperties": True},
                        }
                    ),
                    "message_id": text,
                    "sender": text,
                    "report": thing(
                        dict.fromkeys(("id", "status", "said"), text)
                        | dict.fromkeys(("delivered", "failed"), texts)
                    ),
                    "inbound": thing(dict.fromkeys(("id", "from", "text"), text)),
                }
            ),
            "required": ["url"],
        }

    async def send(
        self, sms: OutgoingSms, settings: Mapping[str, Any], means: SmsTransports
    ) -> Receipt:
        headers = {
            name: filled(text, sms, _for_header)
            for name, text in (settings.get("headers") or {}).items()
        }
        method = settings.get("method", "POST")
        body, media = _body(sms, settings, headers)
        if body is not None and media:
            headers.setdefault("Content-Type", media)
        url = filled(settings["url"], sms, lambda value: quote(value, safe=""))
        limit = aiohttp.ClientTimeout(
            total=TIMEOUT_SECONDS, connect=CONNECT_SECONDS, sock_connect=CONNECT_SECONDS
        )
        try:
            async with means.http.request(
                method,
                url,
                data=None if body is None else body.encode(),
                headers=headers,
                allow_redirects=False,
                timeout=limit,
            ) as reply:
                return await http_answer.read(reply, settings)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise TransportError(f"not reached: {error}") from error
        except TimeoutError:
            raise TransportError(f"no answer within {TIMEOUT_SECONDS:g} s", unknown=True) from None
        except (aiohttp.InvalidURL, ValueError):
            # The error does not show the address, because it may hold a password.
            raise TransportError("the url of its settings is no address", permanent=True) from None
        except aiohttp.ClientResponseError as error:
            raise TransportError(f"no HTTP answer: {error.message}", unknown=True) from error
        except (aiohttp.ClientError, OSError) as error:
            # The request was perhaps sent before the connection broke.
            raise TransportError(f"broken off: {error}", unknown=True) from error


PROVIDER = HttpProvider()


def _check_url(url: Any) -> None:
    if not url:
        raise ValueError("url: must be the gateway's address, like https://example.com/send")
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except (ValueError, AttributeError, TypeError):
        right = False
    if not right or " " in url or not url.isprintable() or len(url) > _LONGEST_URL:
        raise ValueError("url: must be an address like https://example.com/path")


def _check_headers(headers: Any) -> None:
    if not isinstance(headers, dict) or not all(
        _HEADER.fullmatch(name) and isinstance(text, str) and text.isprintable()
        for name, text in headers.items()
    ):
        raise ValueError("headers: must be a JSON object of texts of one line")
    for name in headers:
        if name.lower() in _FRAMING:
            raise ValueError(f"headers: {name} follows from the body; leave it out")


def _check_hook(name: str, value: Any, *, is_list: bool) -> None:
    if is_list and not isinstance(value, list):
        raise ValueError(f'{name}: must be a list of words like ["DELIVRD"]')
    for text in value if is_list else [value]:
        one_line(text, name)


def _check_success(value: Any) -> None:
    only(value, {"status", "json"}, "success")
    numbers = value.get("status", [])
    if not isinstance(numbers, list) or not all(
        type(number) is int and 100 <= number <= 599 for number in numbers
    ):
        raise ValueError("success.status: must be a list of HTTP statuses like [200]")
    if not isinstance(value.get("json", {}), dict):
        raise ValueError("success.json: must be a JSON object of paths and values")


def _body(
    sms: OutgoingSms, settings: Mapping[str, Any], headers: Mapping[str, str]
) -> tuple[str | None, str]:
    """Return the body and its media type. The media type decides how the values are escaped."""
    template = settings.get("body")
    if template is None:
        if settings.get("method") == "GET":
            return None, ""
        values = {"to": sms.recipient, "from": sms.sender, "text": sms.text, "id": sms.id}
        return json.dumps(values), _JSON
    media = next((v for name, v in headers.items() if name.lower() == "content-type"), "").lower()
    start = template.lstrip()[:1] or "="
    escape: Callable[[str], str]
    if "json" in media or (not media and start in ("{", "[")):
        media, escape = _JSON, lambda value: json.dumps(value)[1:-1]
    elif "xml" in media or (not media and start == "<"):
        media, escape = "application/xml", _for_xml
    elif media.startswith("text/"):
        escape = str
    else:
        media, escape = _FORM, quote_plus
    return filled(template, sms, escape), media


def _for_header(value: str) -> str:
    """Return the value on one line, with only the characters that a header can hold."""
    line = "".join(char if char.isprintable() else " " for char in value)
    return line.encode("ascii", "replace").decode()


def _for_xml(value: str) -> str:
    allowed = "".join(char for char in value if char in "\t\n" or char >= " ")
    return escape_xml(allowed, {'"': "&quot;", "'": "&apos;"})
