"""The dialplan's doors, with phones that call: ringing back, and ordering a wake-up call."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest_asyncio

from tests.acceptance.conftest import Plug, Practice
from tests.lab.asterisk import Asterisk
from tests.lab.behaviours import Behaviour, answers_and_presses, never_answers
from tests.lab.caller import Caller
from tests.lab.exchange import Exchange

CALLBACK = "7001"
Dial = Callable[[str, str, Behaviour], Awaitable[Caller]]


@pytest_asyncio.fixture(loop_scope="session")
async def dial(exchange: Exchange, asterisk: Asterisk) -> AsyncIterator[Dial]:
    """`await dial("1001", "7001", answers_and_presses("1"))` calls 7001 from 1001."""
    callers: list[Caller] = []

    async def call(number: str, dials: str, behaviour: Behaviour) -> Caller:
        caller = Caller(number, dials, behaviour, exchange, asterisk)
        callers.append(caller)
        await caller.start()
        return caller

    yield call
    for caller in callers:
        await caller.stop()


async def test_who_rings_back_answers_as_if_called(
    practice: Practice, plug: Plug, dial: Dial, exchange: Exchange
) -> None:
    await plug("601", never_answers())
    alarm = await practice.clinic.appointment("601", maxretry=3, retry_delay=600)
    await practice.told(alarm, "retry")
    caller = await dial("601", CALLBACK, answers_and_presses("1", first_key=4.0))
    settled = await practice.settled(alarm)
    assert (settled["status"], settled["result"]) == (5, 1)
    await caller.until("hung up by network")
    assert caller.heard.seconds_heard() > 2
    words = await practice.words(alarm)
    assert words[words.index("called_back") :] == ["called_back", "key", "hung_up", "result"]
    assert len(exchange.calls_to("601")) == 1


async def test_a_number_that_nothing_waits_for_is_told_so(practice: Practice, dial: Dial) -> None:
    caller = await dial("602", CALLBACK, answers_and_presses(""))
    await caller.until("hung up by network", 30)
    assert caller.heard.seconds_heard() > 2
