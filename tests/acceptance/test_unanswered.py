"""Nobody picks up: each cause has its name, its retry, and in the end somebody is told."""

import asyncio

import pytest

from tests.acceptance.conftest import Plug, Practice, on_both_databases
from tests.lab.behaviours import (
    Behaviour,
    busy,
    busy_once_then_answers,
    congestion,
    declines,
    never_answers,
)
from tests.lab.exchange import Exchange
from tests.lab.speed import account, limit
from tests.lab.waiting import until

pytestmark = on_both_databases


@pytest.mark.parametrize(
    ("number", "behaviour", "reason", "disposition", "cause"),
    [
        ("301", busy(), "busy", "BUSY", 17),
        ("302", declines(), "declined", "CANCEL", 21),
        ("303", congestion(), "congestion", "CONGESTION", 34),
        ("304", never_answers(), "no_answer", "NOANSWER", 19),
    ],
)
async def test_a_call_that_fails_is_tried_again_as_often_as_maxretry_says(
    practice: Practice,
    plug: Plug,
    exchange: Exchange,
    number: str,
    behaviour: Behaviour,
    reason: str,
    disposition: str,
    cause: int,
) -> None:
    await plug(number, behaviour)
    appointment = await practice.clinic.appointment(number, maxretry=1, retry_delay=1)
    alarm = await practice.settled(appointment)
    assert (alarm["status"], alarm["status_reason"], alarm["num_attempt"]) == (3, reason, 2)
    assert len(exchange.calls_to(number)) == 2
    calls = await practice.clinic.calls(appointment)
    assert [call["disposition"] for call in calls] == [disposition] * 2
    assert [call["hangup_cause"] for call in calls] == [cause] * 2
    assert sorted(call["status"] for call in calls) == [2, 3]
    words = await practice.words(appointment)
    assert words.count(reason) == 2
    assert words[-1] == "failure"


async def test_an_unknown_number_is_final(practice: Practice, exchange: Exchange) -> None:
    exchange.forget("399")
    appointment = await practice.clinic.appointment("399", maxretry=3, retry_delay=0)
    alarm = await practice.settled(appointment)
    assert (alarm["status"], alarm["status_reason"], alarm["num_attempt"]) == (3, "wrong_number", 1)
    assert len(exchange.calls_to("399")) == 1


async def test_the_retry_reaches_who_was_busy(practice: Practice, plug: Plug) -> None:
    phone = await plug("311", busy_once_then_answers("2", first_key=1.0))
    alarm = await practice.settled(await practice.clinic.appointment("311"))
    assert (alarm["status"], alarm["result"], alarm["num_attempt"]) == (5, 2, 2)
    assert (await phone.events())[:3] == ["busy", "ringing", "answered"]


async def test_the_retry_waits_for_its_delay(
    practice: Practice, plug: Plug, exchange: Exchange
) -> None:
    await plug("312", busy())
    await practice.settled(await practice.clinic.appointment("312", maxretry=1, retry_delay=3))
    first, second = [call.monotonic for call in exchange.calls_to("312")]
    assert 3.0 <= second - first < limit(4.5), account()


async def test_after_the_last_retry_an_sms_says_so_in_the_events_words(
    practice: Practice, plug: Plug
) -> None:
    await plug("321", busy())
    appointment = await practice.clinic.appointment(
        "321",
        maxretry=0,
        phonenumber_sms_failure="+34 600 000 000",
        data={
            "doc_name": "Dr. {alarm_phonenumber}",
            "apt_date": "noon",
            "sms_failure": "{alarm_phonenumber} missed {doc_name} ({num_attempt})",
        },
    )
    await practice.told(appointment, "sms_sent")
    (sms,) = [sms for sms in practice.sms.messages if sms.to == "+34600000000"]
    assert sms.text == "321 missed Dr. {alarm_phonenumber} (1)"


async def test_an_sms_gateway_that_fails_is_tried_again(practice: Practice, plug: Plug) -> None:
    await plug("322", busy())
    practice.sms.mood = "fail"
    before = practice.sms.requests
    try:
        appointment = await practice.clinic.appointment(
            "322", maxretry=0, phonenumber_sms_failure="600322"
        )
        await practice.told(appointment, "sms_failed")
        assert practice.sms.requests == before + 1
    finally:
        practice.sms.mood = "accept"
    await until(
        lambda: [sms for sms in practice.sms.messages if sms.to == "600322"], 15, "the SMS arrives"
    )
    await practice.told(appointment, "sms_sent")


async def test_a_retry_policy_tells_the_causes_apart(
    practice: Practice, plug: Plug, exchange: Exchange
) -> None:
    await plug("331", busy())
    appointment = await practice.clinic.appointment(
        "331", maxretry=0, retry_policy={"busy": {"delay": 0, "count": 2}}
    )
    alarm = await practice.settled(appointment)
    assert alarm["num_attempt"] == 3


async def test_one_number_is_rung_by_one_call_at_a_time(
    practice: Practice, plug: Plug, exchange: Exchange
) -> None:
    await plug("341", never_answers())
    first, second = await asyncio.gather(
        practice.clinic.appointment("341", maxretry=0),
        practice.clinic.appointment("341", maxretry=0),
    )
    await asyncio.gather(practice.settled(first), practice.settled(second))
    _, other = exchange.calls_to("341")
    originated = min([await practice.originated(first), await practice.originated(second)])
    # The clinic lets it ring for six seconds.
    assert (other.at - originated).total_seconds() >= 6.0
