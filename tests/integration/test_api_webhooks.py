"""webhook/ and webhook-delivery/: the secret is shown once, bad addresses are refused."""

from pathlib import Path
from typing import Any

import pytest

from telealarm.config.model import Config, WebhooksConfig
from telealarm.models import Webhook, WebhookDelivery
from telealarm.store.engine.database import Database
from telealarm.store.webhooks.webhooks import MOST
from telealarm.words import DeliveryStatus
from tests.integration.api_client import Api, clinic, id_of, serving

TARGET = {"target_url": "https://example.com/told"}


async def test_its_secret_is_shown_when_it_is_made_and_when_it_is_rotated(api: Api) -> None:
    made = await api.made("webhook/", {**TARGET, "events": ["alarm.missed", "alarm.result"]})
    assert made["secret"].startswith("whsec_")
    shown = (await api.get(made["url"])).body
    assert shown == {**made, "secret": None}
    assert shown["events"] == ["alarm.result", "alarm.missed"]
    rotated = (await api.post(made["url"] + "rotate_secret/")).body
    assert rotated["secret"] not in (None, made["secret"])
    for path in ("webhook/", made["url"], "webhook-delivery/"):
        assert "whsec_" not in (await api.get(path)).text
    row = await api.db.write(lambda: Webhook.get_by_id(id_of(made["url"])))
    assert (row.secret, row.old_secret) == (rotated["secret"], made["secret"])


async def test_what_was_read_can_be_written_back(api: Api) -> None:
    made = await api.made("webhook/", TARGET)
    shown = (await api.get(made["url"])).body
    reply = await api.put(made["url"], {**shown, "status": "inactive"})
    assert (reply.status, reply.body["status"]) == (200, 0)
    row = await api.db.write(lambda: Webhook.get_by_id(id_of(made["url"])))
    assert row.secret == made["secret"]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("target_url", "", "must not be empty"),
        ("target_url", "ftp://example.com/", "must be an address like"),
        ("target_url", "http://127.0.0.1/", "127.0.0.1 is not public (loopback)"),
        ("target_url", "http://localhost:9000/told", "localhost is not public (loopback)"),
        ("target_url", "http://169.254.169.254/latest/", "is not public (link-local)"),
        ("target_url", "http://[::ffff:10.0.0.1]/", "is not public (an IPv4 address within IPv6)"),
        ("target_url", "http://2130706433/", "no address in its plain form"),
        ("target_url", "https://user:pw@example.com/", "without a user"),
        ("events", ["alarm.rung"], "must be a list of some of attempt.ended, alarm.result"),
        ("events", "alarm.result", "must be a list"),
        ("status", 7, "must be one of"),
    ],
)
async def test_bad_input_is_named(api: Api, field: str, value: Any, said: str) -> None:
    reply = await api.post("webhook/", {**TARGET, field: value})
    assert (reply.status, list(reply.body)) == (400, [field])
    assert said in reply.body[field][0]


async def test_the_addresses_of_an_alarm_are_checked_too(api: Api) -> None:
    made = await clinic(api)
    event = await api.made("event/", {"title": "t", "calendar": made.calendar})
    body = {"event": event["url"], "alarm_phonenumber": "600", "url_cancel": "http://10.0.0.1/"}
    reply = await api.post("alarm/", {**body, "url_confirm": "http://0x7f.1/"})
    assert (reply.status, sorted(reply.body)) == (400, ["url_cancel", "url_confirm"])
    wrong = {**body, "url_confirm": "ftp://x/", "maxretry": "many", "event": 999, "colour": 1}
    reply = await api.post("alarm/", wrong)
    named = ["colour", "event", "maxretry", "url_cancel", "url_confirm"]
    assert (reply.status, sorted(reply.body)) == (400, named)
    alarm = await api.made("alarm/", {**body, "url_cancel": "https://example.com/no"})
    reply = await api.patch(alarm["url"], {"url_confirm": "http://localhost:80:80/"})
    assert (reply.status, list(reply.body)) == (400, ["url_confirm"])
    assert (await api.put(alarm["url"], (await api.get(alarm["url"])).body)).status == 200


async def test_what_the_operator_allows_is_taken(db: Database, config: Config) -> None:
    allowing = config.model_copy(update={"webhooks": WebhooksConfig(allow=["10.0.0.0/8"])})
    async with serving(db, allowing, Path()) as api:
        await api.made("webhook/", {"target_url": "http://10.1.2.3:9000/told"})
        assert (await api.post("webhook/", {"target_url": "http://192.168.1.1/"})).status == 400


async def test_a_manager_has_only_so_many(api: Api) -> None:
    for _ in range(MOST):
        await api.made("webhook/", TARGET)
    reply = await api.post("webhook/", TARGET)
    assert reply.status == 409
    assert "delete one" in reply.body["detail"]
    await api.made("webhook/", TARGET, user="other")


async def test_deliveries_are_listed_and_sent_again_by_hand(api: Api) -> None:
    webhook = await api.made("webhook/", TARGET)
    listed = await api.made("dnc-list/", {"name": "opted out"})
    contact = await api.made("dnc-contact/", {"dnc": listed["url"], "phone_number": "600"})
    found = (await api.get(f"webhook-delivery/?webhook={id_of(webhook['url'])}&status=1")).body
    (told,) = found["results"]
    assert told["type"] == "do_not_call.added"
    assert told["payload"]["data"]["dnc_contact"] == id_of(contact["url"])
    assert (told["webhook"], told["alarm"], told["tries"]) == (webhook["url"], None, [])

    async def becomes(status: DeliveryStatus) -> None:
        await api.db.write(lambda: WebhookDelivery.update(status=status, attempt=9).execute())

    again = told["url"] + "redeliver/"
    for status in (DeliveryStatus.PENDING, DeliveryStatus.DELIVERED, DeliveryStatus.FAILED):
        await becomes(status)
        reply = await api.post(again)
        assert (reply.status, reply.body["status"]) == (200, DeliveryStatus.PENDING)
        assert (await api.db.write(WebhookDelivery.get)).attempt == 0
    await becomes(DeliveryStatus.SENDING)
    assert (await api.post(again)).status == 409
    await becomes(DeliveryStatus.FAILED)
    await api.patch(webhook["url"], {"status": 0})
    assert "switched off" in (await api.post(again)).body["detail"]
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert (await api.send(method, told["url"], {})).status == 405


async def test_switched_off_or_deleted_nothing_more_is_sent(api: Api) -> None:
    webhook = await api.made("webhook/", TARGET)
    listed = await api.made("dnc-list/", {"name": "opted out"})
    await api.made("dnc-contact/", {"dnc": listed["url"], "phone_number": "600"})
    await api.patch(webhook["url"], {"status": "inactive"})
    (told,) = (await api.get("webhook-delivery/")).body["results"]
    assert told["status"] == DeliveryStatus.FAILED
    await api.made("dnc-contact/", {"dnc": listed["url"], "phone_number": "601"})
    assert (await api.get("webhook-delivery/")).body["count"] == 1
    assert (await api.delete(webhook["url"])).status == 204
    assert (await api.get("webhook-delivery/")).body["count"] == 0
