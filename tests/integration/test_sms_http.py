"""SMS through a real HTTP gateway, which may also refuse, fail, stay silent or break off."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

import pytest
import pytest_asyncio

from telealarm.errors import TransportError
from telealarm.messaging.transport import http_session
from telealarm.methods.sms.provider import OutgoingSms, SmsTransports
from telealarm.methods.sms.providers import http
from telealarm.methods.sms.providers.http import PROVIDER
from tests.lab.sms_gateway import SmsGateway
from tests.lab.speed import limit

MESSAGE = OutgoingSms(id="ab-1", recipient="+34600", sender="Clinic", text='Say "hello"\nto {to}')


@pytest_asyncio.fixture
async def gateway() -> AsyncIterator[SmsGateway]:
    server = SmsGateway()
    await server.start()
    yield server
    await server.stop()


@pytest_asyncio.fixture
async def means() -> AsyncIterator[SmsTransports]:
    async with http_session() as session:
        yield SmsTransports(session, None)


async def test_by_its_address_alone_a_gateway_gets_json(
    gateway: SmsGateway, means: SmsTransports
) -> None:
    receipt = await PROVIDER.send(MESSAGE, {"url": gateway.url, "message_id": "id"}, means)
    (sms,) = gateway.messages
    assert (sms.to, sms.sender, sms.text, sms.id) == ("+34600", "Clinic", MESSAGE.text, "ab-1")
    assert receipt.reference


async def test_a_body_of_the_gateways_own_form_is_filled_as_json(
    gateway: SmsGateway, means: SmsTransports
) -> None:
    body = json.dumps({"to": "{to}", "from": "X", "text": "{text}", "id": "{id}"})
    settings = {"url": gateway.url, "body": body, "headers": {"Authorization": "k"}}
    await PROVIDER.send(MESSAGE, settings, means)
    (sms,) = gateway.messages
    assert (sms.text, sms.authorization) == (MESSAGE.text, "k")


@pytest.mark.parametrize(
    ("mood", "permanent", "unknown"),
    [
        ("refuse", True, False),
        ("fail", False, False),
        ("break", False, True),
        ("hang", False, True),
    ],
)
async def test_what_goes_wrong_is_told_apart_by_what_can_help(
    gateway: SmsGateway,
    means: SmsTransports,
    monkeypatch: pytest.MonkeyPatch,
    mood: str,
    permanent: bool,
    unknown: bool,
) -> None:
    monkeypatch.setattr(http, "TIMEOUT_SECONDS", limit(1))
    gateway.mood = mood  # type: ignore[assignment]
    with pytest.raises(TransportError) as caught:
        await PROVIDER.send(MESSAGE, {"url": gateway.url}, means)
    assert (caught.value.permanent, caught.value.unknown) == (permanent, unknown)
    assert gateway.messages == []


async def test_a_200_that_says_no_is_no_success(gateway: SmsGateway, means: SmsTransports) -> None:
    settings = {"url": gateway.url, "success": {"status": [200], "json": {"status": "queued"}}}
    with pytest.raises(TransportError, match="status is None"):
        await PROVIDER.send(MESSAGE, settings, means)


async def test_a_gateway_that_is_not_there_got_nothing(means: SmsTransports) -> None:
    with pytest.raises(TransportError) as caught:
        await PROVIDER.send(MESSAGE, {"url": "http://127.0.0.1:9/"}, means)
    assert (caught.value.permanent, caught.value.unknown) == (False, False)


HOSTILE = OutgoingSms(
    id="ab-1",
    recipient="+34600",
    sender='A"\r\nX-Evil: 1',
    text='"}, {id} & <b>]]> \\ \r\nX-Evil: 1 =%41 €😀\x07',
)


@pytest.mark.parametrize(
    ("media", "body", "parse"),
    [
        (None, '{"to": "{to}", "text": "{text}"}', lambda raw: json.loads(raw)["text"]),
        (None, "to={to}&text={text}", lambda raw: parse_qs(raw, strict_parsing=True)["text"][0]),
        (
            "text/xml",
            "<sms><to>{to}</to><text>{text}</text></sms>",
            lambda raw: ElementTree.fromstring(raw).findtext("text"),
        ),
    ],
)
async def test_hostile_text_breaks_no_template(
    gateway: SmsGateway,
    means: SmsTransports,
    media: str | None,
    body: str,
    parse: Callable[[str], str],
) -> None:
    headers = {"X-From": "{from} {text}", **({"Content-Type": media} if media else {})}
    url = gateway.url.replace("/send", "/raw") + "?text={text}&id={id}"
    settings = {"url": url, "headers": headers, "body": body}
    PROVIDER.check(settings)
    await PROVIDER.send(HOSTILE, settings, means)
    (raw,) = gateway.raw
    whole = HOSTILE.text.replace("\r\n", "\n") if media else HOSTILE.text
    assert parse(raw.body) == (whole.replace("\x07", "") if media else whole)
    assert raw.query == {"text": HOSTILE.text, "id": "ab-1"}
    assert "X-Evil" not in raw.headers
    assert raw.headers["X-From"].startswith('A"  X-Evil: 1 "}, {id} & <b>')


@pytest.mark.parametrize("method", ["POST", "PUT", "GET"])
async def test_the_method_is_the_gateways_own(
    gateway: SmsGateway, means: SmsTransports, method: str
) -> None:
    url = gateway.url.replace("/send", "/raw") + "?to={to}&text={text}"
    await PROVIDER.send(MESSAGE, {"url": url, "method": method, "headers": {"X-Id": "{id}"}}, means)
    (raw,) = gateway.raw
    assert (raw.method, raw.headers["X-Id"]) == (method, "ab-1")
    assert raw.query == {"to": MESSAGE.recipient, "text": MESSAGE.text}
    # What says nothing of a body has our JSON, and a GET has none.
    sent = {"to": "+34600", "from": "Clinic", "text": MESSAGE.text, "id": "ab-1"}
    assert (json.loads(raw.body) if raw.body else None) == (None if method == "GET" else sent)


def test_the_settings_of_the_reference_are_taken() -> None:
    PROVIDER.check(
        {
            "url": "https://sms.example.com/send",
            "method": "PUT",
            "headers": {"Authorization": "Bearer x", "api_key": "x"},
            "body": '{"to": "{to}"}\n',
            "success": {"status": [200, 202], "json": {"ok": True}},
            "message_id": "message.id",
        }
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "url: must be the gateway's address"),
        ({"url": "file:///etc/passwd"}, "url: must be an address"),
        ({"url": "http://x/\r\nX: y"}, "url: must be an address"),
        ({"url": "http://x/", "method": "DELETE"}, "method: must be POST, PUT or GET"),
        ({"url": "http://x/", "headers": {"X": "a\r\nb"}}, "headers: must be"),
        ({"url": "http://x/", "headers": {"X: y": "a"}}, "headers: must be"),
        ({"url": "http://x/", "success": {"status": ["200"]}}, "success.status: must be"),
        ({"url": "http://x/", "inbound": {"sender": "from"}}, "inbound: sender is unknown"),
        (
            {"url": "http://x/", "headers": {"content-length": "1"}},
            "headers: content-length follows",
        ),
        (
            {"url": "http://x/", "report": {"delivered": "DELIVRD"}},
            "report.delivered: must be a list",
        ),
        ({"url": "http://x/", "report": {"failed": 5}}, "report.failed: must be a list"),
        ({"url": "http://x/", "report": {"failed": [5]}}, "report.failed: must be a text"),
        ({"url": "http://x/", "report": {"id": ["x"]}}, "report.id: must be a text"),
        ({"url": "http://x/", "success": {"json": "ok"}}, "success.json: must be a JSON object"),
        ({"url": "http://x/", "success": []}, "success: must be a JSON object"),
        ({"url": "http://x/", "message_id": 7}, "message_id: must be a text"),
        ({"url": "http://x/", "body": {}}, "body: must be a text"),
        ({"url": "http://x:99999/"}, "url: must be an address"),
        ({"url": ["http://x/"]}, "url: must be an address"),
        ({"url": "http://x/", "other": 1}, "settings: other is unknown"),
    ],
)
def test_each_wrong_setting_says_what_would_be_right(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        PROVIDER.check(settings)
