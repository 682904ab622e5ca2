"""Who answers: a person is asked, an answering machine is not mistaken for one."""

import pytest

from tests.acceptance.conftest import Plug, Practices
from tests.lab.behaviours import person, voicemail, voicemail_with_keys
from tests.lab.rest import JSON

ALWAYS, HUMAN_ONLY, VOICEMAIL_ONLY = 1, 2, 3


def detecting(behavior: int) -> JSON:
    return {"voicemail": True, "amd_behavior": behavior}


async def test_a_person_is_asked(practices: Practices, plug: Plug) -> None:
    practice = await practices(setting=detecting(HUMAN_ONLY))
    phone = await plug("801", person("1"))
    appointment = await practice.clinic.appointment("801")
    alarm = await practice.settled(appointment)
    assert (alarm["status"], alarm["result"]) == (5, 1)
    (call,) = await practice.clinic.calls(appointment)
    assert (call["disposition"], call["amd_status"]) == ("ANSWER", 1)
    assert "person" in await practice.words(appointment)
    assert phone.heard.seconds_heard() > 2


async def test_nothing_is_said_to_a_machine(practices: Practices, plug: Plug) -> None:
    practice = await practices(setting=detecting(HUMAN_ONLY))
    phone = await plug("802", voicemail())
    policy = {"machine": {"delay": 1, "count": 1}}
    appointment = await practice.clinic.appointment("802", maxretry=0, retry_policy=policy)
    alarm = await practice.settled(appointment)
    assert (alarm["status"], alarm["status_reason"], alarm["num_attempt"]) == (3, "machine", 2)
    calls = await practice.clinic.calls(appointment)
    assert {(call["disposition"], call["amd_status"]) for call in calls} == {("MACHINE", 2)}
    assert phone.heard.seconds_heard() == 0


@pytest.mark.parametrize(
    ("behavior", "number", "status", "reason"),
    [(ALWAYS, "803", 3, "machine"), (VOICEMAIL_ONLY, "804", 5, "")],
)
async def test_a_machine_is_left_a_message_after_its_greeting(
    practices: Practices, plug: Plug, behavior: int, number: str, status: int, reason: str
) -> None:
    practice = await practices(setting=detecting(behavior))
    phone = await plug(number, voicemail())
    appointment = await practice.clinic.appointment(number, maxretry=0)
    alarm = await practice.settled(appointment, 60)
    assert (alarm["status"], alarm["status_reason"], alarm["result"]) == (status, reason, 0)
    assert "message_left" in await practice.words(appointment)
    (answered,) = [entry for entry in await phone.log() if entry.what == "answered"]
    spoken = phone.heard.first_loud_at()
    assert spoken is not None
    assert (spoken - answered.at).total_seconds() > phone.says_seconds
    assert phone.heard.seconds_heard() > 2


async def test_where_a_message_is_for_machines_a_person_hears_goodbye(
    practices: Practices, plug: Plug
) -> None:
    practice = await practices(setting=detecting(VOICEMAIL_ONLY))
    phone = await plug("805", person())
    appointment = await practice.clinic.appointment("805", maxretry=0)
    alarm = await practice.settled(appointment)
    assert (alarm["status"], alarm["status_reason"]) == (3, "person")
    assert 0.3 < phone.heard.seconds_heard() < 4


async def test_a_key_proves_a_person(practices: Practices, plug: Plug) -> None:
    practice = await practices(setting=detecting(ALWAYS))
    await plug("806", voicemail_with_keys("2", first_key=3.0))
    appointment = await practice.clinic.appointment("806", maxretry=0)
    alarm = await practice.settled(appointment, 60)
    assert (alarm["status"], alarm["result"]) == (5, 2)
    (call,) = await practice.clinic.calls(appointment)
    assert (call["disposition"], call["amd_status"]) == ("ANSWER", 1)
