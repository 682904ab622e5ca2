"""Who answers: a person is asked, an answering machine is not mistaken for one."""

from dataclasses import replace
from typing import Any

from tests.acceptance.conftest import Plug, Practice
from tests.acceptance.test_doors import words_heard
from tests.acceptance.test_recordings import LOW, cycles, uploaded
from tests.lab.behaviours import person, voicemail, voicemail_with_keys
from tests.lab.clinic import Appointment

ALWAYS, HUMAN_ONLY, VOICEMAIL_ONLY = 1, 2, 3
SAID_BY_THE_SURVEY = ("appointment tomorrow", "to confirm")


async def appointment(
    practice: Practice, number: str, behavior: int, *, recording: str | None = None, **alarm: Any
) -> Appointment:
    """An appointment whose reminder finds out who answers; it is being dialled already."""
    setting = {"voicemail": True, "amd_behavior": behavior, "voicemail_audiofile": recording}
    await practice.clinic.rest.patch(practice.clinic.setting, setting)
    made = await practice.clinic.appointment(number, **{"maxretry": 0, **alarm})
    await practice.told(made, "originate")
    return made


async def test_a_person_is_asked(practice: Practice, plug: Plug) -> None:
    phone = await plug("801", person("1"))
    made = await appointment(practice, "801", HUMAN_ONLY)
    alarm = await practice.settled(made)
    assert (alarm["status"], alarm["result"]) == (5, 1)
    (call,) = await practice.clinic.calls(made)
    assert (call["disposition"], call["amd_status"]) == ("ANSWER", 1)
    assert "person" in await practice.words(made)
    assert phone.heard.seconds_heard() > 2


async def test_nothing_is_said_to_a_machine(practice: Practice, plug: Plug) -> None:
    """MACHINE has a retry of its own: the alarm has no other."""
    phone = await plug("802", voicemail())
    policy = {"machine": {"delay": 1, "count": 1}}
    made = await appointment(practice, "802", HUMAN_ONLY, retry_policy=policy)
    alarm = await practice.settled(made)
    assert (alarm["status"], alarm["status_reason"], alarm["num_attempt"]) == (3, "machine", 2)
    calls = await practice.clinic.calls(made)
    assert {(call["disposition"], call["amd_status"]) for call in calls} == {("MACHINE", 2)}
    assert phone.heard.seconds_heard() == 0


async def test_a_machine_is_left_a_message_after_its_greeting(
    practice: Practice, plug: Plug
) -> None:
    """By behaviour 1 who called, here; by 3 the recording of the setting."""
    recording = await uploaded(practice, 3.0, LOW)
    first, second = await plug("803", voicemail()), await plug("804", voicemail())
    spoken = await appointment(practice, "803", ALWAYS)
    played = await appointment(practice, "804", VOICEMAIL_ONLY, recording=recording["url"])
    for made, phone, ending in (
        (spoken, first, (3, "machine", 0)),
        (played, second, (5, "", 0)),
    ):
        alarm = await practice.settled(made, 60)
        assert (alarm["status"], alarm["status_reason"], alarm["result"]) == ending
        assert "message_left" in await practice.words(made)
        (answered,) = [entry for entry in await phone.log() if entry.what == "answered"]
        began = phone.heard.first_loud_at()
        assert began is not None
        assert (began - answered.at).total_seconds() > phone.says_seconds
    assert first.heard.seconds_heard() > 2
    # Whoever listens to the machine does not hear what the call was about.
    assert await words_heard(first, *SAID_BY_THE_SURVEY) == set()
    assert cycles(first.heard, LOW) < 1
    assert 2.4 < cycles(second.heard, LOW) < 3.5


async def test_a_machine_hears_the_survey_if_the_setting_says_so(
    practice: Practice, plug: Plug
) -> None:
    phone = await plug("808", voicemail())
    setting = practice.clinic.setting
    await practice.clinic.rest.patch(setting, {"voicemail_survey": True})
    try:
        made = await appointment(practice, "808", ALWAYS)
        await practice.settled(made, 60)
        assert await words_heard(phone, *SAID_BY_THE_SURVEY) != set()
    finally:
        await practice.clinic.rest.patch(setting, {"voicemail_survey": False})


async def test_where_a_message_is_for_machines_a_person_hears_goodbye(
    practice: Practice, plug: Plug
) -> None:
    phone = await plug("805", person())
    made = await appointment(practice, "805", VOICEMAIL_ONLY)
    alarm = await practice.settled(made)
    assert (alarm["status"], alarm["status_reason"]) == (3, "person")
    assert 0.3 < phone.heard.seconds_heard() < 4


async def test_a_key_proves_a_person(practice: Practice, plug: Plug) -> None:
    """Pressed before anything is said, whatever is to be done with machines."""
    await plug("806", voicemail_with_keys("2", first_key=3.0))
    # By SIP INFO: what the phone says is not broken off.
    await plug("807", replace(voicemail_with_keys("3", first_key=0.8), info=True))
    for made, key in [
        (await appointment(practice, "806", ALWAYS), 2),
        (await appointment(practice, "807", HUMAN_ONLY), 3),
    ]:
        alarm = await practice.settled(made, 60)
        assert (alarm["status"], alarm["result"]) == (5, key)
        (call,) = await practice.clinic.calls(made)
        assert (call["disposition"], call["amd_status"]) == ("ANSWER", 1)
