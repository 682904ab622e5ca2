"""What an HTTP gateway's answer means, however badly it is made."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from telealarm.errors import TransportError
from telealarm.messaging.transport import http_session
from telealarm.methods.sms.provider import OutgoingSms, SmsTransports
from telealarm.methods.sms.providers import http
from telealarm.methods.sms.providers.http import PROVIDER
from telealarm.rules.delivery import Receipt
from tests.lab.blunt_gateway import CUT, SILENCE, BluntGateway
from tests.lab.speed import limit

MESSAGE = OutgoingSms(id="ab-1", recipient="+34600", sender="Clinic", text="Hello")
SAYS_OK = {"success": {"json": {"status": "ok"}}}


def answer(status: str, body: bytes = b"", *headers: str, length: int | None = None) -> bytes:
    """The bytes of an answer; `length`: what it says of its body's."""
    length = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {length}", "", ""]
    return "\r\n".join(lines).encode() + body


@dataclass
class Line:
    """A gateway that answers so, and what we make of it."""

    means: SmsTransports

    async def send(
        self, *parts: bytes, **settings: Any
    ) -> tuple[Receipt | TransportError, BluntGateway]:
        server = BluntGateway(parts)
        await server.start()
        settings.setdefault("url", server.url)
        PROVIDER.check(settings)
        try:
            return await PROVIDER.send(MESSAGE, settings, self.means), server
        except TransportError as error:
            return error, server
        finally:
            await server.stop()


@pytest_asyncio.fixture
async def line(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Line]:
    monkeypatch.setattr(http, "TIMEOUT_SECONDS", limit(1))
    async with http_session() as session:
        yield Line(SmsTransports(session, None))


OK = answer("200 OK", b'{"status": "ok", "id": "g-1"}')


@pytest.mark.parametrize(
    ("parts", "settings", "reference"),
    [
        ([OK], SAYS_OK, "g-1"),
        # In pieces, as TCP may deliver it.
        ([OK[:20], OK[20:-20], OK[-20:-3], OK[-3:]], SAYS_OK, "g-1"),
        ([answer("204 No Content")], {}, ""),
        ([answer("202 Accepted", b"queued")], {}, ""),
        # A status that counts says it all, also where the rest breaks off, drips, or is no JSON.
        ([answer("200 OK", b'{"id', length=900), CUT], {}, ""),
        ([answer("200 OK", b'{"id', length=900), SILENCE], {}, ""),
        ([answer("200 OK", b"<html>", "Content-Type: application/json")], {}, ""),
        ([answer("200 OK", b"no gzip", "Content-Encoding: gzip")], {}, ""),
        ([answer("200 OK", b"x" * 10_000_000)], {}, ""),
        # It answers twice.
        ([OK + OK], SAYS_OK, "g-1"),
        ([OK, answer("500 Oops")], SAYS_OK, "g-1"),
        ([b"HTTP/1.1 100 Continue\r\n\r\n", OK], SAYS_OK, "g-1"),
        # An id that is a number; one that is none.
        ([answer("200 OK", b'{"id": 12345678901234567890}')], {}, "12345678901234567890"),
        ([answer("200 OK", b'{"id": {"a": 1}}')], {}, ""),
        ([answer("200 OK", b'{"id": true}')], {}, ""),
        ([answer("409 Conflict")], {"success": {"status": [200, 409]}}, ""),
        ([answer("200 OK", b'{"ok": 1, "error": null}')], {"success": {"json": {"ok": 1}}}, ""),
    ],
)
async def test_taken(line: Line, parts: list[bytes], settings: Any, reference: str) -> None:
    receipt, server = await line.send(*parts, message_id="id", **settings)
    assert isinstance(receipt, Receipt), receipt
    assert receipt.reference == reference
    assert len(server.requests) == 1


async def test_what_counts_and_its_id_may_lie_deep(line: Line) -> None:
    body = b'{"data": {"code": 0}, "messages": [{"id": 7}, {"id": "g-8"}]}'
    deep = {"success": {"status": [200], "json": {"data.code": 0}}, "message_id": "messages.1.id"}
    receipt, _ = await line.send(answer("200 OK", body), **deep)
    assert isinstance(receipt, Receipt) and receipt.reference == "g-8"
    for status, said in (("200 OK", body.replace(b"0", b"4", 1)), ("201 Created", body)):
        error, _ = await line.send(answer(status, said), **deep)
        assert isinstance(error, TransportError) and error.permanent


@pytest.mark.parametrize(
    "parts",
    [
        [CUT],
        [b""],
        [SILENCE],
        [b"SMTP ready\r\n"],
        [b"HTTP/1.1 200"],
        [b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000],
        # The words decide here, and they are not to be read.
        [answer("200 OK", b'{"status": "o', length=900), CUT],
        [answer("200 OK", b'{"status": "o', length=900), SILENCE],
        [answer("200 OK", b"<html>busy</html>")],
        [answer("200 OK", b"[" * 100_000)],
        [answer("200 OK", b'{"status": "ok", "x": "' + b"x" * 10_000_000 + b'"}')],
    ],
)
async def test_nobody_can_tell(line: Line, parts: list[bytes]) -> None:
    error, server = await line.send(*parts, **SAYS_OK)
    assert isinstance(error, TransportError), error
    assert (error.unknown, error.permanent) == (True, False), error
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "status",
    ["408 x", "425 x", "429 x", "500 x", "502 x", "503 x", "504 x", "507 x", "520 x", "599 x"],
)
async def test_not_now(line: Line, status: str) -> None:
    for parts in ([answer(status, b"busy")], [answer(status, b"bu", length=900), CUT]):
        error, _ = await line.send(*parts)
        assert isinstance(error, TransportError)
        assert (error.unknown, error.permanent) == (False, False)
        assert str(error).startswith(f"HTTP {status[:3]}: bu")


@pytest.mark.parametrize("status", ["400 x", "401 x", "402 x", "403 x", "404 x", "410 x", "501 x"])
async def test_never(line: Line, status: str) -> None:
    error, _ = await line.send(answer(status, b"no credit left", "Retry-After: 5"))
    assert isinstance(error, TransportError)
    assert (error.unknown, error.permanent, error.wait_seconds) == (False, True, 0)
    assert str(error) == f"HTTP {status[:3]}: no credit left"


@pytest.mark.parametrize("body", [b'{"status": "rejected"}', b"{}", b"[]", b"null", b'"ok"'])
async def test_a_200_whose_words_say_no_is_no_success(line: Line, body: bytes) -> None:
    error, _ = await line.send(answer("200 OK", body), **SAYS_OK)
    assert isinstance(error, TransportError)
    assert (error.unknown, error.permanent) == (False, True)
    assert body.decode() in str(error)


@pytest.mark.parametrize("status", ["301 x", "302 x", "303 x", "307 x", "308 x"])
async def test_a_redirect_is_not_followed_and_named_without_what_may_be_secret(
    line: Line, status: str
) -> None:
    elsewhere = BluntGateway([OK])
    await elsewhere.start()
    location = f"Location: {elsewhere.url}?key=secret"
    error, _ = await line.send(answer(status, b"", location))
    await elsewhere.stop()
    assert isinstance(error, TransportError)
    assert error.permanent and elsewhere.requests == []
    assert "it leads to http://127.0.0.1/send; correct the url" in str(error)
    error, _ = await line.send(answer(status, b"", "Location: http://[x"))
    assert "it leads elsewhere" in str(error)


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("30", 30, 30),
        ("999999999999", 86_400, 86_400),
        ("Fri, 31 Dec 2999 23:59:59 GMT", 86_400, 86_400),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0, 0),
        ("soon", 0, 0),
        ("-5", 0, 0),
    ],
)
async def test_for_how_long_it_wants_to_be_left_alone(
    line: Line, text: str, least: float, most: float
) -> None:
    for status in ("429 Too Many Requests", "503 Busy"):
        error, _ = await line.send(answer(status, b"", f"Retry-After: {text}"))
        assert isinstance(error, TransportError)
        assert least <= error.wait_seconds <= most


async def test_no_password_of_the_settings_is_ever_said(line: Line) -> None:
    for parts in ([b"HTTP/1.1 nonsense\r\n\r\n"], [CUT], [answer("404 x")]):
        server = BluntGateway(parts)
        await server.start()
        url = server.url.replace("//", "//user:secret@") + "?key=secret"
        error, _ = await line.send(url=url)
        assert isinstance(error, TransportError)
        assert "secret" not in str(error), error
        # Two logins in one request.
        error, _ = await line.send(url=url, headers={"Authorization": "Basic secret"})
        assert "secret" not in str(error), error
        await server.stop()
