"""SMS through a real HTTP gateway, which may also refuse, fail, stay silent or break off."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from telealarm.errors import TransportError
from telealarm.notify import sms_http
from telealarm.notify.sms_http import HttpSmsSender, Sms
from tests.lab.sms_gateway import SmsGateway

MESSAGE = Sms(id="ab-1", recipient="+34600", sender="Clinic", text='Say "hello"\nto {to}')


@pytest_asyncio.fixture
async def gateway() -> AsyncIterator[SmsGateway]:
    server = SmsGateway()
    await server.start()
    yield server
    await server.stop()


@pytest_asyncio.fixture
async def sender() -> AsyncIterator[HttpSmsSender]:
    made = HttpSmsSender()
    yield made
    await made.close()


async def test_by_its_address_alone_a_gateway_gets_json(
    gateway: SmsGateway, sender: HttpSmsSender
) -> None:
    receipt = await sender.send(MESSAGE, {"url": gateway.url, "message_id": "id"})
    (sms,) = gateway.messages
    assert (sms.to, sms.sender, sms.text, sms.id) == ("+34600", "Clinic", MESSAGE.text, "ab-1")
    assert receipt.reference


async def test_a_body_of_the_gateways_own_form_is_filled_as_json(
    gateway: SmsGateway, sender: HttpSmsSender
) -> None:
    body = json.dumps({"to": "{to}", "from": "X", "text": "{text}", "id": "{id}"})
    await sender.send(
        MESSAGE, {"url": gateway.url, "body": body, "headers": {"Authorization": "k"}}
    )
    (sms,) = gateway.messages
    assert (sms.text, sms.authorization) == (MESSAGE.text, "k")


@pytest.mark.parametrize(
    ("mood", "permanent"), [("refuse", True), ("fail", False), ("break", False), ("hang", False)]
)
async def test_what_goes_wrong_is_told_apart_by_whether_trying_again_can_help(
    gateway: SmsGateway,
    sender: HttpSmsSender,
    monkeypatch: pytest.MonkeyPatch,
    mood: str,
    permanent: bool,
) -> None:
    monkeypatch.setattr(sms_http, "TIMEOUT_SECONDS", 1.0)
    gateway.mood = mood  # type: ignore[assignment]
    with pytest.raises(TransportError) as caught:
        await sender.send(MESSAGE, {"url": gateway.url})
    assert caught.value.permanent is permanent
    assert gateway.messages == []


async def test_a_200_that_says_no_is_no_success(gateway: SmsGateway, sender: HttpSmsSender) -> None:
    settings = {"url": gateway.url, "success": {"status": [200], "json": {"status": "queued"}}}
    with pytest.raises(TransportError, match="status is None"):
        await sender.send(MESSAGE, settings)
