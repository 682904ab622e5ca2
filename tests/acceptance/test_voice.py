"""The voice and the keys on the wire: every kind of phone is heard, and none hears a dead line."""

from dataclasses import replace
from itertools import pairwise

import pytest

from tests.acceptance.conftest import Plug, Practice
from tests.acceptance.test_sections import ASKS_ON, RATES, RECORD, sealed, to_agent
from tests.lab.behaviours import (
    Behaviour,
    answers_and_presses,
    answers_only,
    by_hand,
    never_answers,
    presses_by_info,
    presses_by_tones,
)
from tests.lab.phone import Phone
from tests.lab.speed import account, limit

# No phone hears nothing at all for so long: not one packet of RTP.
MOST_SECONDS = 3.0


def never_dead(phone: Phone) -> None:
    """Not until now, or until the last packet of a call that has ended."""
    gap = phone.heard.longest_gap()
    # Not scaled: Asterisk's own clock decides.
    assert gap < MOST_SECONDS, f"{gap:.1f} s without a packet; {account()}"
    assert len(phone.heard.arrivals) > 10


@pytest.mark.parametrize(
    ("number", "behaviour"),
    [
        ("651", answers_and_presses("2", first_key=5.0)),
        ("652", replace(answers_and_presses("2", first_key=5.0), codec="PCMA")),
        ("653", presses_by_info("2", first_key=5.0)),
        ("654", presses_by_tones("2", first_key=5.0)),
        ("655", presses_by_tones("2", first_key=5.0, codec="PCMA")),
    ],
)
async def test_a_key_of_any_phone_is_heard_once(
    practice: Practice, plug: Plug, number: str, behaviour: Behaviour
) -> None:
    """By events, by SIP INFO, and by tones if the phone knows nothing else."""
    survey = await sealed(practice.clinic.rest, ASKS_ON, {**RATES, "script": "Again."})
    phone = await plug(number, behaviour)
    appointment = await practice.clinic.appointment(number, survey=survey)
    alarm = await practice.settled(appointment)
    words = await practice.words(appointment)
    assert (alarm["status"], alarm["result"]) == (5, 2), words
    assert words.count("key") == 1, words
    assert "key 2" in await phone.events()


async def test_a_phone_that_presses_nothing_never_hears_a_dead_line(
    practice: Practice, plug: Plug
) -> None:
    asks = {**RATES, "timeout": 8, "retries": 1}
    survey = await sealed(practice.clinic.rest, asks)
    phone = await plug("656", answers_only())
    appointment = await practice.clinic.appointment("656", survey=survey)
    await practice.settled(appointment)
    never_dead(phone)
    # While it is asked, silence comes as voice, in the codec of the call: not comfort noise alone.
    voice = [packet.at for packet in phone.heard.packets]
    assert max(after - before for before, after in pairwise(voice)) < limit(MOST_SECONDS)


async def test_a_phone_that_is_recorded_never_hears_a_dead_line(
    practice: Practice, plug: Plug
) -> None:
    speaks_up = {"type": RECORD, "script": "Speak.", "timeout": 8, "recording_seconds": 8}
    survey = await sealed(practice.clinic.rest, speaks_up, {**RATES, "timeout": 5})
    phone = await plug("657", by_hand(voice=6.0))
    appointment = await practice.clinic.appointment("657", survey=survey)
    await phone.until("answered", 30)
    await phone.has_heard(1.0)
    await phone.speak()
    await practice.settled(appointment)
    never_dead(phone)


async def test_a_phone_that_waits_for_an_agent_never_hears_a_dead_line(
    practice: Practice, plug: Plug
) -> None:
    survey = await sealed(practice.clinic.rest, to_agent("659"), {**RATES, "timeout": 5})
    await plug("659", never_answers())
    phone = await plug("658", answers_only())
    appointment = await practice.clinic.appointment("658", survey=survey)
    await practice.settled(appointment, 60)
    never_dead(phone)


async def test_a_phone_whose_machine_is_detected_never_hears_a_dead_line(
    practice: Practice, plug: Plug
) -> None:
    """AMD listens for up to five seconds to a phone that says nothing."""
    rest = practice.clinic.rest
    before = await rest.get(practice.clinic.setting)
    await rest.patch(practice.clinic.setting, {"voicemail": True, "amd_behavior": 1})
    try:
        phone = await plug("660", answers_only())
        await practice.settled(await practice.clinic.appointment("660"), 60)
    finally:
        amd = {name: before[name] for name in ("voicemail", "amd_behavior")}
        await rest.patch(practice.clinic.setting, amd)
    never_dead(phone)


async def test_silence_does_not_drown_the_agent(practice: Practice, plug: Plug) -> None:
    """The callee listened in silence before; then they hear what the agent says."""
    waits = {**RATES, "timeout": 4, "script": "Press a key."}
    survey = await sealed(
        practice.clinic.rest,
        waits,
        to_agent("662", confirm_key="", confirm_script=""),
        branches={(0, "timeout"): 1},
    )
    agent = await plug("662", replace(by_hand(), voice=20.0, voice_after=0.2))
    phone = await plug("661", answers_only())
    appointment = await practice.clinic.appointment("661", survey=survey)
    await practice.told(appointment, "transfer_taken", 60)
    heard = phone.heard.seconds_heard()
    await phone.has_heard(heard + 3.0)
    await agent.hang_up()
    await practice.settled(appointment)
    never_dead(phone)
