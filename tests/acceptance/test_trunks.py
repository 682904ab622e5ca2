"""A trunk that goes away holds its calls; everybody can see it; back again, they go out."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from telealarm.asterisk.ami import Ami, AmiError, TrunkStatus
from tests.acceptance.conftest import Practice, Practices
from tests.lab.asterisk import Asterisk
from tests.lab.behaviours import answers_and_presses
from tests.lab.exchange import Exchange
from tests.lab.phone import Phone
from tests.lab.ports import HOST
from tests.lab.registrar import Registrar
from tests.lab.speed import limit
from tests.lab.waiting import until

pytestmark = pytest.mark.long

REGISTRATION = """
[trunk-registration]
type = registration
transport = transport-udp
server_uri = sip:{host}:{port}
client_uri = sip:clinic@{host}:{port}
retry_interval = 1
max_retries = 10000
line = yes
endpoint = trunk
"""


@dataclass
class Provider:
    """A provider of our own, with the Asterisk that has its trunk."""

    exchange: Exchange
    registrar: Registrar
    asterisk: Asterisk


@pytest_asyncio.fixture(loop_scope="session")
async def provider() -> AsyncIterator[Provider]:
    exchange, registrar = Exchange(), Registrar()
    await exchange.start()
    await registrar.accepts()
    asterisk = Asterisk(exchange.port)

    def watched(pjsip: str) -> str:
        quick = pjsip.replace("qualify_frequency = 30", "qualify_frequency = 1")
        quick = quick.replace("qualify_timeout = 8", f"qualify_timeout = {limit(1):.1f}")
        assert quick != pjsip
        return quick + REGISTRATION.format(host=HOST, port=registrar.port)

    asterisk.configure("pjsip.conf", watched)
    await asterisk.start()
    yield Provider(exchange, registrar, asterisk)
    await asterisk.stop()
    await registrar.stop()
    await exchange.stop()


def ami_of(asterisk: Asterisk) -> dict[str, Any]:
    return {"host": HOST, "port": asterisk.ami_port, "password": asterisk.ami_password}


async def becomes(practice: Practice, state: str) -> str:
    """Wait until the gateway says so; what /readyz says of the trunk then."""
    rest = practice.clinic.rest

    async def is_so() -> bool:
        (gateway,) = await rest.results("gateway/")
        return bool(gateway["trunk_state"] == state)

    await until(
        is_so, 90, lambda: f"the trunk is {state}; TeleAlarm says:\n{practice.serve.tail()}"
    )
    ready = f"{practice.serve.url}/readyz"
    found = await (rest.get(ready) if state == "up" else rest.refused("GET", ready, {}, 503))
    return str(found["checks"].get("trunk trunk"))


async def metrics(practice: Practice) -> str:
    url = f"{practice.serve.url}/metrics"
    async with aiohttp.ClientSession() as http, http.get(url) as reply:
        return await reply.text()


async def test_a_trunk_that_goes_away_holds_its_calls_and_lets_them_go_when_it_is_back(
    practices: Practices, provider: Provider
) -> None:
    settings = {"asterisk": {"ami": ami_of(provider.asterisk)}}
    practice = await practices(asterisk=provider.asterisk, settings=settings)
    async with Phone("451", answers_and_presses("1"), provider.exchange) as phone:
        assert await becomes(practice, "up") == "ok"
        provider.exchange.silent = True
        said = await becomes(practice, "down")
        assert "is unreachable; its calls wait" in said
        assert 'telealarm_trunk_up{trunk="trunk"} 0.0' in await metrics(practice)
        appointment = await practice.clinic.appointment("451", maxretry=0)
        await practice.told(appointment, "deferred")
        assert await phone.events() == []
        provider.exchange.silent = False
        assert await becomes(practice, "up") == "ok"
        alarm = await practice.settled(appointment)
        assert (alarm["status"], alarm["result"], alarm["num_attempt"]) == (5, 1, 1)
        words = await practice.words(appointment)
        assert words.count("deferred") == 1
        assert len(provider.exchange.calls_to("451")) == 1

        assert 'telealarm_trunk_up{trunk="trunk"} 1.0' in await metrics(practice)

        # Reachable, but it refuses to register us.
        await provider.registrar.refuses()
        assert "its registration trunk-registration" in await becomes(practice, "down")
        await provider.registrar.accepts()
        assert await becomes(practice, "up") == "ok"

        # Asterisk itself goes, and AMI with it: what is not known holds nobody.
        await provider.asterisk.kill()
        await becomes(practice, "unknown")
        await provider.asterisk.start()
        assert await becomes(practice, "up") == "ok"


async def test_a_trunk_of_a_restarted_asterisk_is_not_down_until_it_is_asked_some_day(
    exchange: Exchange,
) -> None:
    asterisk = Asterisk(exchange.port)
    # Asterisk by itself would first ask within the hour.
    often, seldom = "qualify_frequency = 30", "qualify_frequency = 3600"
    asterisk.configure("pjsip.conf", lambda text: text.replace(often, seldom))
    await asterisk.start()
    found: list[str] = []

    async def told(trunks: Mapping[str, TrunkStatus]) -> None:
        found.append(trunks["trunk"].state)

    login = {**ami_of(asterisk), "user": "telealarm", "timeout_seconds": 5.0}
    watching = asyncio.create_task(Ami(**login, trunks=["trunk"], notify=told).run())
    try:
        for _ in range(2):
            await until(lambda: found[-1:] == ["up"], 30, "the trunk is up")
            await asterisk.kill()
            await until(lambda: found[-1:] == ["unknown"], 30, "AMI is away")
            await asterisk.start()
    finally:
        watching.cancel()
        await asterisk.stop()


async def test_a_wrong_password_is_said_so(asterisk: Asterisk) -> None:
    async def told(found: object) -> None:
        raise AssertionError("nothing is to be told")

    login = {**ami_of(asterisk), "user": "telealarm", "timeout_seconds": 5.0}
    await Ami(**login, trunks=[], notify=told).check()
    with pytest.raises(AmiError, match=r"correct asterisk\.ami\.user"):
        await Ami(**{**login, "password": "wrong"}, trunks=[], notify=told).check()
