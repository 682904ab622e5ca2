"""The lab for acceptance tests: one Asterisk and one exchange for all, phones for each.

An Asterisk that does not start fails the tests; it never skips them.
"""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from tests.lab.asterisk import Asterisk
from tests.lab.behaviours import Behaviour
from tests.lab.exchange import Exchange
from tests.lab.phone import Phone
from tests.lab.sms_gateway import SmsGateway

Plug = Callable[[str, Behaviour], Awaitable[Phone]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run every test here on the loop that the exchange lives on."""
    for item in items:
        if pytest_asyncio.is_async_test(item) and "acceptance" in item.path.parts:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def exchange() -> AsyncIterator[Exchange]:
    """The telephone network; it remembers every call of the session."""
    network = Exchange()
    await network.start()
    yield network
    await network.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def asterisk(exchange: Exchange) -> AsyncIterator[Asterisk]:
    """A real Asterisk, whose only trunk leads to the exchange."""
    pbx = Asterisk(exchange.port)
    await pbx.start()
    yield pbx
    await pbx.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def plug(exchange: Exchange) -> AsyncIterator[Plug]:
    """`phone = await plug("1001", busy())`; every phone is unplugged after the test."""
    phones: list[Phone] = []

    async def plug_in(number: str, behaviour: Behaviour) -> Phone:
        phone = Phone(number, behaviour, exchange)
        phones.append(phone)
        await phone.start()
        return phone

    yield plug_in
    for phone in phones:
        await phone.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def sms_gateway() -> AsyncIterator[SmsGateway]:
    """A provider's HTTP gateway for SMS."""
    gateway = SmsGateway()
    await gateway.start()
    yield gateway
    await gateway.stop()
