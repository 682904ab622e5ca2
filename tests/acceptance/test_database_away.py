"""PostgreSQL goes away in mid-call: who presses a key hears about it, and is not called again."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from tests.acceptance.conftest import LOGIN, Plug, Practice, open_practice
from tests.acceptance.test_sections import ASKS_ON, sealed
from tests.lab.asterisk import Asterisk
from tests.lab.behaviours import by_hand
from tests.lab.exchange import Exchange
from tests.lab.listener import understood
from tests.lab.phone import Phone
from tests.lab.postgres import Postgres, running
from tests.lab.serve import add_login

pytestmark = pytest.mark.long

ONE_MOMENT, NOT_SAVED = "one moment please", "could not save"
NOT_SAID = "elephant in the garden"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A PostgreSQL that these tests may freeze and stop."""
    with running() as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def practice(asterisk: Asterisk, server: Postgres) -> AsyncIterator[Practice]:
    """A clinic on that server."""
    database = server.new_database()
    await asyncio.to_thread(add_login, database, *LOGIN)
    async with AsyncExitStack() as stack:
        yield await open_practice(stack, asterisk, database=database)


async def said(phone: Phone) -> set[str]:
    phrases = [ONE_MOMENT, NOT_SAVED, NOT_SAID]
    return await asyncio.to_thread(understood, phone.heard.samples(), phrases)


def goes(server: Postgres, how: str) -> None:
    server.freeze() if how == "frozen" else server.shut_down()


def comes_back(server: Postgres, how: str) -> None:
    server.thaw() if how == "frozen" else server.boot()


@pytest.mark.parametrize("how", ["frozen", "stopped"])
async def test_a_moment_without_the_database(
    practice: Practice, plug: Plug, exchange: Exchange, server: Postgres, how: str
) -> None:
    number = {"frozen": "671", "stopped": "672"}[how]
    survey = await sealed(practice.clinic.rest, ASKS_ON)
    phone = await plug(number, by_hand())
    appointment = await practice.clinic.appointment(number, survey=survey)
    await phone.until("answered", 30)
    await phone.has_heard(0.5)
    goes(server, how)
    try:
        phone.heard.clear()
        await phone.press("2")
        await asyncio.sleep(5.0)  # the length of the outage
    finally:
        await asyncio.to_thread(comes_back, server, how)
    alarm = await practice.settled(appointment)
    assert (alarm["status"], alarm["result"], alarm["num_attempt"]) == (5, 2, 1)
    assert len(exchange.calls_to(number)) == 1
    assert phone.heard.longest_gap() < 3.0
    assert await said(phone) == {ONE_MOMENT}


@pytest.mark.parametrize("how", ["frozen", "stopped"])
async def test_the_database_is_away_for_longer_than_the_call(
    practice: Practice, plug: Plug, exchange: Exchange, server: Postgres, how: str
) -> None:
    number = {"frozen": "673", "stopped": "674"}[how]
    survey = await sealed(practice.clinic.rest, ASKS_ON)
    phone = await plug(number, by_hand())
    appointment = await practice.clinic.appointment(
        number, survey=survey, maxretry=3, retry_delay=0, require_result=True
    )
    await phone.until("answered", 30)
    await phone.has_heard(0.5)
    goes(server, how)
    try:
        phone.heard.clear()
        await phone.press("1")
        await phone.until("hung up by network", 60)
        assert phone.heard.longest_gap() < 3.0
        assert await said(phone) == {ONE_MOMENT, NOT_SAVED}
        await asyncio.sleep(15.0)  # longer than a lease
    finally:
        await asyncio.to_thread(comes_back, server, how)
    alarm = await practice.settled(appointment, 60)
    assert (alarm["status"], alarm["result"], alarm["num_attempt"]) == (5, 1, 1)
    assert len(exchange.calls_to(number)) == 1
    assert (await practice.words(appointment)).count("key") == 1
