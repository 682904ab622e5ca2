"""Who answers: a person is asked, an answering machine is not mistaken for one."""

from tests.acceptance.conftest import Plug, Practices
from tests.lab.behaviours import person, voicemail

ALWAYS, HUMAN_ONLY, VOICEMAIL_ONLY = 1, 2, 3


async def test_a_person_is_asked(practices: Practices, plug: Plug) -> None:
    practice = await practices(setting={"voicemail": True, "amd_behavior": HUMAN_ONLY})
    phone = await plug("801", person("1"))
    appointment = await practice.clinic.appointment("801")
    alarm = await practice.settled(appointment)
    assert (alarm["status"], alarm["result"]) == (5, 1)
    (call,) = await practice.clinic.calls(appointment)
    assert (call["disposition"], call["amd_status"]) == ("ANSWER", 1)
    assert "person" in await practice.words(appointment)
    assert phone.heard.seconds_heard() > 2


async def test_nothing_is_said_to_a_machine(practices: Practices, plug: Plug) -> None:
    practice = await practices(setting={"voicemail": True, "amd_behavior": HUMAN_ONLY})
    phone = await plug("802", voicemail())
    policy = {"machine": {"delay": 1, "count": 1}}
    appointment = await practice.clinic.appointment("802", maxretry=0, retry_policy=policy)
    alarm = await practice.settled(appointment)
    assert (alarm["status"], alarm["status_reason"], alarm["num_attempt"]) == (3, "machine", 2)
    calls = await practice.clinic.calls(appointment)
    assert {(call["disposition"], call["amd_status"]) for call in calls} == {("MACHINE", 2)}
    assert phone.heard.seconds_heard() == 0
