"""Somebody picks up: what the phone hears, what is keyed, and what the API says then."""

import pytest

from tests.acceptance.conftest import Plug, Practice, on_both_databases
from tests.lab.behaviours import answers_and_presses, answers_only, by_hand
from tests.lab.rest import JSON

pytestmark = on_both_databases


@pytest.mark.parametrize(("key", "number"), [("1", "201"), ("2", "202"), ("3", "203")])
async def test_the_key_pressed_is_the_result(
    practice: Practice, plug: Plug, key: str, number: str
) -> None:
    phone = await plug(number, by_hand())
    appointment = await practice.clinic.appointment(number)
    await phone.until("answered")
    await phone.has_heard(2)
    await phone.press(key)
    alarm = await practice.settled(appointment)
    assert (alarm["status"], alarm["result"], alarm["num_attempt"]) == (5, int(key), 1)
    assert await phone.events() == ["ringing", "answered", f"key {key}", "hung up by network"]
    assert phone.heard.seconds_heard() > 2
    assert await practice.words(appointment) == [
        "created",
        "due",
        "originate",
        "ringing",
        "answered",
        "key",
        "hung_up",
        "result",
    ]
    (call,) = await practice.clinic.calls(appointment)
    assert (call["status"], call["disposition"], call["hangup_cause"]) == (4, "ANSWER", 16)


async def test_a_key_cuts_the_prompt(practice: Practice, plug: Plug) -> None:
    phone = await plug("211", by_hand())
    appointment = await practice.clinic.appointment("211")
    await phone.until("answered")
    await phone.has_heard(0.2)
    await phone.press("1")
    alarm = await practice.settled(appointment)
    assert alarm["result"] == 1
    # The whole prompt takes over eight seconds.
    assert phone.heard.seconds_heard() < 5


async def test_no_key_is_a_success_without_a_result(practice: Practice, plug: Plug) -> None:
    phone = await plug("221", answers_only())
    alarm = await practice.settled(await practice.clinic.appointment("221"))
    assert (alarm["status"], alarm["result"], alarm["num_attempt"]) == (5, 0, 1)
    assert phone.heard.seconds_heard() > 6
    assert (await phone.events())[-1] == "hung up by network"


async def test_no_key_is_a_failure_where_a_result_is_required(
    practice: Practice, plug: Plug
) -> None:
    await plug("222", answers_only())
    appointment = await practice.clinic.appointment("222", require_result=True, maxretry=0)
    alarm = await practice.settled(appointment)
    assert (alarm["status"], alarm["status_reason"], alarm["result"]) == (3, "no_key", 0)


async def test_a_key_not_offered_is_no_result(practice: Practice, plug: Plug) -> None:
    await plug("231", answers_and_presses("7", first_key=1.0))
    appointment = await practice.clinic.appointment("231")
    alarm = await practice.settled(appointment)
    timeline = await practice.clinic.timeline(appointment)
    assert (alarm["status"], alarm["result"]) == (5, 0), str(timeline)
    assert "key" not in [line["what"] for line in timeline]


async def test_after_a_key_not_offered_the_right_one_counts(practice: Practice, plug: Plug) -> None:
    phone = await plug("232", by_hand())
    appointment = await practice.clinic.appointment("232")
    await phone.until("answered")
    for key in "71":
        await phone.hears(1)
        await phone.press(key)
    alarm = await practice.settled(appointment)
    assert (alarm["status"], alarm["result"]) == (5, 1)
    assert "key 7" in await phone.events()


async def test_a_hang_up_in_mid_prompt_is_a_failed_attempt(practice: Practice, plug: Plug) -> None:
    phone = await plug("241", by_hand())
    appointment = await practice.clinic.appointment("241", maxretry=1, retry_delay=1)
    for calls in (1, 2):
        await phone.until("answered", 30, times=calls)
        await phone.has_heard(0.5)
        phone.heard.clear()
        await phone.hang_up()
    alarm = await practice.settled(appointment)
    assert (alarm["status"], alarm["status_reason"], alarm["num_attempt"]) == (3, "early_hangup", 2)
    assert (await phone.events()).count("hung up by phone") == 2
    assert "retry" in await practice.words(appointment)


async def test_the_nested_log_tells_each_attempt(practice: Practice, plug: Plug) -> None:
    await plug("251", answers_and_presses("1", first_key=1.0))
    appointment = await practice.clinic.appointment("251")
    await practice.settled(appointment)
    log = await practice.clinic.nested(appointment)
    event = appointment.event.rstrip("/").rsplit("/", 1)[1]
    alarms: JSON = log[f"event-{event}"]
    (alarm,) = alarms.values()
    requests = [value for name, value in alarm.items() if name.startswith("alarm-request-")]
    assert [(request["status"], request["callstatus"]) for request in requests] == [("5", "16")]
    assert int(requests[0]["duration"]) >= 1
