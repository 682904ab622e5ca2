"""The same road on PostgreSQL: a call, a crash, and two workers on one database."""

import pytest

from tests.acceptance.conftest import Plug, Practices
from tests.lab.behaviours import answers_and_presses, busy_once_then_answers
from tests.lab.exchange import Exchange

pytestmark = [
    pytest.mark.long,
    pytest.mark.parametrize("kind", ["postgresql"], indirect=True, scope="module"),
]


async def test_a_call_its_retry_and_a_crash(
    practices: Practices, plug: Plug, exchange: Exchange
) -> None:
    practice = await practices(section={"retries": 5})
    phone = await plug("501", busy_once_then_answers(""))
    appointment = await practice.clinic.appointment("501")
    await phone.until("answered")
    await practice.serve.kill9()
    await practice.serve.start()
    await practice.told(appointment, "adopted", 40)
    await phone.hears(0.5)
    await phone.press("2")
    alarm = await practice.settled(appointment)
    assert (alarm["status"], alarm["result"], alarm["num_attempt"]) == (5, 2, 2)
    assert len(exchange.calls_to("501")) == 2


async def test_two_workers_share_the_work_and_ring_nobody_twice(
    practices: Practices, plug: Plug, exchange: Exchange
) -> None:
    practice = await practices()
    numbers = [f"51{n}" for n in range(6)]
    for number in numbers:
        await plug(number, answers_and_presses("1", first_key=1.0))
    second = practice.serve.twin("second")
    await second.start()
    try:
        made = [await practice.clinic.appointment(number, due_in=3.0) for number in numbers]
        for appointment in made:
            alarm = await practice.settled(appointment)
            assert (alarm["status"], alarm["result"]) == (5, 1)
        assert [len(exchange.calls_to(number)) for number in numbers] == [1] * len(numbers)
    finally:
        await second.stop()
