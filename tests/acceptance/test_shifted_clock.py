"""The whole service under a clock that is turned: a DST night, an outage, a jump back."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from telealarm.rules.rate_limit import READY
from tests.acceptance.conftest import Plug, Practice, Practices
from tests.lab.behaviours import answers_and_presses
from tests.lab.exchange import Exchange
from tests.lab.shifted_clock import ShiftedClock
from tests.lab.waiting import until

pytestmark = pytest.mark.long

# In the night of the 28th of March 2027 the clocks of Madrid go from 02:00 to 03:00: a wake-up
# call for 02:30 is due at 03:30, which is 01:30 UTC. On the other days of summer it is at 00:30.
EVENING = datetime(2027, 3, 27, 20, 0, tzinfo=UTC)
WAKE_UP = datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
# How long a jump is looked at for what it must not do: the safety poll comes every two seconds.
QUIET_SECONDS = 5.0


async def children(practice: Practice, event: str) -> list[Any]:
    number = event.rstrip("/").rsplit("/", 1)[1]
    return await practice.clinic.rest.results(f"event/?parent_event={number}&ordering=start")


async def outcome(practice: Practice, event: str) -> list[tuple[str, int, str]]:
    """Each child's start, and how its alarm stands."""
    found = []
    for child in await children(practice, event):
        number = child["url"].rstrip("/").rsplit("/", 1)[1]
        (alarm,) = await practice.clinic.rest.results(f"alarm/?event={number}")
        found.append((child["start"], alarm["status"], alarm["status_reason"]))
    return found


async def test_a_wake_up_call_through_a_dst_night_an_outage_and_a_jump_back(
    practices: Practices, plug: Plug, exchange: Exchange, tmp_path: Path
) -> None:
    practice = await practices()
    rest = practice.clinic.rest
    clock = ShiftedClock(tmp_path)
    clock.turn(EVENING)
    practice.serve.environment = clock.environment
    await practice.serve.restart()
    await plug("1901", answers_and_presses("1", first_key=1.0))

    rule = await rest.post("rule/", {"name": "daily", "rrule": "FREQ=DAILY"})
    event = await rest.post(
        "event/",
        {
            "title": "Wake-up",
            "start": "2027-03-27 02:30",
            "end": "2027-03-27 03:00",
            "calendar": practice.clinic.calendar,
            "timezone": "Europe/Madrid",
            "rule": rule["url"],
            "end_recurring_period": None,
        },
    )
    link = event["url"]
    await rest.post("alarm/", {"event": link, "alarm_phonenumber": "1901"})

    async def planned() -> bool:
        return len(await children(practice, link)) == 2

    await until(planned, 30, "the next two days have their children")
    assert exchange.calls_to("1901") == []

    # The night.
    clock.turn(WAKE_UP - timedelta(seconds=3))

    async def woken() -> bool:
        return (await outcome(practice, link))[0][1] == 5

    await until(woken, 40, lambda: f"the guest is woken; TeleAlarm says:\n{practice.serve.tail()}")
    (call,) = await rest.results("callrequest/?phone_number=1901")
    rang = datetime.fromisoformat(call["call_time"])
    # It is made ready a moment before it is due.
    assert -READY <= rang - WAKE_UP < timedelta(seconds=15)

    # An outage over two mornings: both are accounted for, and nobody is rung late.
    await practice.serve.terminate()
    clock.turn(datetime(2027, 3, 30, 12, 0, tzinfo=UTC))
    await practice.serve.start()

    async def accounted() -> bool:
        return [status for _, status, _ in await outcome(practice, link)] == [5, 6, 6, 1, 1]

    await until(accounted, 40, "what fell into the outage is recorded")
    expected = [
        ("2027-03-28T03:30:00+02:00", 5, ""),
        ("2027-03-29T02:30:00+02:00", 6, "late"),
        ("2027-03-30T02:30:00+02:00", 6, "late"),
        ("2027-03-31T02:30:00+02:00", 1, ""),
        ("2027-04-01T02:30:00+02:00", 1, ""),
    ]
    assert await outcome(practice, link) == expected

    # The clock jumps back to the night: nothing is rung or made a second time.
    clock.turn(WAKE_UP - timedelta(seconds=2))
    await asyncio.sleep(QUIET_SECONDS)
    assert await outcome(practice, link) == expected
    assert len(exchange.calls_to("1901")) == 1

    # And forward again: the next one rings.
    clock.turn(datetime(2027, 3, 31, 0, 29, 58, tzinfo=UTC))

    async def woken_again() -> bool:
        return (await outcome(practice, link))[3][1] == 5

    await until(woken_again, 40, lambda: f"woken again; TeleAlarm says:\n{practice.serve.tail()}")
    assert len(exchange.calls_to("1901")) == 2
