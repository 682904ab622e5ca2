"""The caps for a person on real phones: two workers, calls and SMS, counted from outside."""

import asyncio
from collections import Counter

import pytest

from tests.acceptance.conftest import Plug, Practices
from tests.lab.behaviours import answers_and_presses, busy
from tests.lab.exchange import Exchange

pytestmark = [
    pytest.mark.long,
    pytest.mark.parametrize("kind", ["postgresql"], indirect=True, scope="module"),
]


async def test_nobody_is_contacted_more_often_than_the_cap_allows(
    practices: Practices, plug: Plug, exchange: Exchange
) -> None:
    practice = await practices(settings={"limits": {"contacts_per_day": 2}})
    numbers = [f"+3460060060{n}" for n in range(5)]
    for place, number in enumerate(numbers):
        await plug(number, busy() if place % 2 else answers_and_presses("1", first_key=1.0))
    second = practice.serve.twin("second")
    await second.start()
    try:
        # Six alarms for each number, of three events: they may wait for less than a day.
        made = await asyncio.gather(
            *(
                practice.clinic.appointment(
                    number, due_in=2.0 + turn, max_lateness=3600, method=1 if turn % 3 else 2
                )
                for turn in range(6)
                for number in numbers
            )
        )
        ends = [await practice.settled(one, 120) for one in made]
    finally:
        await second.stop()
    contacts = Counter({number: len(exchange.calls_to(number)) for number in numbers})
    contacts.update({number: len(practice.sms.sent_to(number)) for number in numbers})
    assert contacts == dict.fromkeys(numbers, 2)
    reasons = Counter(one["status_reason"] for one in ends if one["status"] in (3, 6))
    assert reasons["contact_cap"] >= 3 * len(numbers), reasons
    assert set(reasons) <= {"contact_cap", "busy"}
