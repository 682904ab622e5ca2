"""The addresses that an SMS gateway sends to are replaced; the old ones work for a day."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from telealarm.api.public import inbound_hooks
from telealarm.clock import utcnow
from tests.integration.api_client import Api

GATEWAY = {"name": "provider", "settings": {"url": "https://example.com/", "body": "{text}"}}
REPORT = {"id": "1", "status": "delivered"}


async def works(api: Api, address: str) -> bool:
    """Whether the provider may send a report to this address."""
    reply = await api.post(urlsplit(address).path, REPORT, user=None)
    assert reply.status in (200, 404), reply.text
    return reply.status == 200


async def test_old_addresses_work_for_a_day(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = await api.made("sms-gateway/", GATEWAY, user="root")
    path = f"{gateway['url']}rotate_secret/"
    assert (await api.post(path)).status == 403, "only superusers"
    reply = await api.post(path, user="root")
    assert reply.status == 200, reply.text
    first, second = gateway["report_url"], reply.body["report_url"]
    assert first != second and reply.body["inbound_url"] != gateway["inbound_url"]
    assert [await works(api, one) for one in (first, second)] == [True, True]
    assert not await works(api, first[:-9] + "x" + first[-8:])
    later = utcnow() + timedelta(days=1, seconds=1)
    with monkeypatch.context() as context:
        context.setattr(inbound_hooks, "utcnow", lambda: later)
        assert [await works(api, one) for one in (first, second)] == [False, True]
    # A second time: only the last two work.
    third = (await api.post(path, user="root")).body["report_url"]
    assert [await works(api, one) for one in (first, second, third)] == [False, True, True]
