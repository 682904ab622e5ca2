"""The same road on PostgreSQL: a call, a crash, and two workers on one database."""

from tests.acceptance.conftest import Plug, Practices
from tests.lab.behaviours import answers_and_presses, busy_once_then_answers
from tests.lab.exchange import Exchange
from tests.lab.postgres import Postgres


async def test_a_call_its_retry_and_a_crash(
    practices: Practices, plug: Plug, exchange: Exchange, postgres: Postgres
) -> None:
    practice = await practices(database=postgres.new_database())
    phone = await plug("501", busy_once_then_answers("2", first_key=14.0))
    appointment = await practice.clinic.appointment("501")
    await phone.until("answered")
    await practice.serve.kill9()
    await practice.serve.start()
    alarm = await practice.settled(appointment)
    assert (alarm["status"], alarm["result"], alarm["num_attempt"]) == (5, 2, 2)
    assert len(exchange.calls_to("501")) == 2
    assert "adopted" in await practice.words(appointment)


async def test_two_workers_share_the_work_and_ring_nobody_twice(
    practices: Practices, plug: Plug, exchange: Exchange, postgres: Postgres
) -> None:
    practice = await practices(database=postgres.new_database())
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
