"""Bad luck in the middle of a talk, a conference, or a message: it goes on, or is accounted for."""

import asyncio

import pytest

from tests.acceptance.conftest import Plug, Practice, Practices
from tests.acceptance.test_sections import (
    CONFERENCE,
    RATES,
    RECORD,
    answered,
    sealed,
    to_agent,
    transfers,
)
from tests.lab.asterisk import Asterisk
from tests.lab.behaviours import Behaviour, answers_and_presses, answers_only
from tests.lab.phone import Phone
from tests.lab.waiting import until
from tests.lab.wire import Wire


async def broken(practice: Practice, wire: Wire, how: str) -> None:
    """The service is killed and started anew, or loses Asterisk for a moment."""
    if how == "killed":
        await practice.serve.kill9()
        await practice.serve.start()
        return
    wire.cut()
    await asyncio.sleep(0.5)  # the length of the outage
    wire.mend()


async def hears_more(phone: Phone, seconds: float) -> None:
    before = phone.heard.seconds_heard()
    await until(
        lambda: phone.heard.seconds_heard() > before + seconds, 30, f"{phone.number} hears more"
    )


async def test_two_who_talk_go_on_talking(practices: Practices, plug: Plug) -> None:
    practice = await practices()
    survey = await sealed(practice.clinic.rest, to_agent("502"), RATES)
    agent = await plug("502", answers_and_presses("5", first_key=2.0))
    phone = await plug("501", Behaviour(voice=18.0, voice_after=6.0, hang_up=1.0))
    appointment = await practice.clinic.appointment("501", survey=survey)
    await practice.told(appointment, "transfer_taken", 30)
    await practice.serve.kill9()
    await practice.serve.start()
    # Asterisk would have ended the call of two whom nobody watches over before that.
    await hears_more(agent, 5)
    found = await answered(practice, appointment, 60)
    assert found.responses == ["taken"], practice.serve.tail()
    assert found.alarm["status"] == 5
    assert (await phone.events())[-1] == "hung up by phone"
    await agent.until("hung up by network")
    (row,) = await transfers(practice, found)
    assert row["taken"] and row["ended"] and row["disposition"] == "ANSWER"
    assert found.words.count("transfer_taken") == found.words.count("transfer_ended") == 1


@pytest.mark.parametrize(
    ("cuts_at", "number"),
    [(b"/ari/bridges", "541"), (b"/addChannel", "543"), (None, "545")],
    ids=["before the bridge", "in the midst of joining", "while they talk"],
)
async def test_two_who_talk_go_on_talking_through_a_cut_wire(
    practices: Practices, plug: Plug, asterisk: Asterisk, cuts_at: bytes | None, number: str
) -> None:
    wire = Wire(asterisk.ari_url, cuts_at)
    await wire.start()
    practice = await practices(settings={"asterisk": {"ari": {"url": wire.url}}})
    other = str(int(number) + 1)
    survey = await sealed(practice.clinic.rest, to_agent(other), RATES)
    agent = await plug(other, answers_and_presses("5", first_key=2.0))
    phone = await plug(number, Behaviour(voice=10.0, voice_after=6.0, hang_up=1.0))
    appointment = await practice.clinic.appointment(number, survey=survey)
    await practice.told(appointment, "transfer_taken", 30)
    if cuts_at is None:
        await hears_more(agent, 1)
        wire.cut()
    await until(lambda: wire.is_cut, 30, "the wire is cut")
    await asyncio.sleep(0.5)  # the length of the outage
    wire.mend()
    await hears_more(agent, 5)
    found = await answered(practice, appointment, 60)
    assert found.responses == ["taken"], practice.serve.tail()
    assert found.alarm["status"] == 5
    assert (await phone.events())[-1] == "hung up by phone"
    await agent.until("hung up by network", 30)
    (row,) = await transfers(practice, found)
    assert row["taken"] and row["ended"] and row["disposition"] == "ANSWER"
    assert found.words.count("transfer_taken") == found.words.count("transfer_ended") == 1
    await wire.stop()


async def test_killed_while_the_agent_rings_another_call_reaches_them(
    practices: Practices, plug: Plug
) -> None:
    practice = await practices()
    survey = await sealed(practice.clinic.rest, to_agent("506"), RATES)
    agent = await plug("506", Behaviour(ring=4.0, keys="5", first_key=2.0, hang_up=2.0))
    await plug("505", answers_only())
    appointment = await practice.clinic.appointment("505", survey=survey)
    await agent.until("ringing", 30)
    await practice.serve.kill9()
    await practice.serve.start()
    found = await answered(practice, appointment, 60)
    assert found.responses == ["taken"], practice.serve.tail()
    rows = await transfers(practice, found)
    assert [(bool(row["taken"]), bool(row["ended"])) for row in rows] == [
        (False, True),
        (True, True),
    ]
    assert "cancelled" in await agent.events()


@pytest.mark.parametrize(("how", "number"), [("killed", "511"), ("cut off", "513")])
async def test_two_who_confer_go_on_conferring(
    practices: Practices, plug: Plug, asterisk: Asterisk, how: str, number: str
) -> None:
    wire = Wire(asterisk.ari_url)
    await wire.start()
    practice = await practices(settings={"asterisk": {"ari": {"url": wire.url}}})
    other = str(int(number) + 1)
    room = {"type": CONFERENCE, "script": "Welcome.", "conference": "Board"}
    survey = await sealed(practice.clinic.rest, room, RATES)
    one = await plug(number, answers_and_presses("#1", first_key=24.0, between=3.0))
    two = await plug(
        other, Behaviour(voice=14.0, voice_after=8.0, keys="#2", first_key=3.0, between=3.0)
    )
    first = await practice.clinic.appointment(number, survey=survey)
    second = await practice.clinic.appointment(other, survey=survey)
    await practice.told(first, "conference", 30)
    await practice.told(second, "conference", 30)
    await broken(practice, wire, how)
    await hears_more(one, 5)
    found, also = await answered(practice, first, 60), await answered(practice, second, 60)
    assert (found.responses, also.responses) == (["joined", "1"], ["joined", "2"])
    assert found.words.count("conference") == also.words.count("conference") == 1
    assert (await two.events())[-1] == "hung up by network"
    await wire.stop()


async def test_asterisk_dies_while_two_talk(
    practices: Practices, plug: Plug, own: Asterisk
) -> None:
    practice = await practices(asterisk=own)
    survey = await sealed(practice.clinic.rest, to_agent("522"), RATES)
    await plug("521", answers_only())
    await plug("522", answers_and_presses("5", first_key=2.0))
    appointment = await practice.clinic.appointment("521", survey=survey, maxretry=0)
    await practice.told(appointment, "transfer_taken", 30)
    await own.kill()
    await own.start()
    found = await answered(practice, appointment, 60)
    assert found.responses == ["taken"], practice.serve.tail()

    async def all_ended() -> bool:
        return all(row["ended"] for row in await transfers(practice, found))

    await until(all_ended, 30, "the agent's call is accounted for")


async def test_asterisk_dies_in_mid_survey(practices: Practices, plug: Plug, own: Asterisk) -> None:
    practice = await practices(asterisk=own)
    survey = await sealed(practice.clinic.rest, RATES, {**RATES, "timeout": 30})
    # The one has answered the first question; the other is asked again.
    await plug("523", answers_and_presses("2", first_key=0.5))
    phone = await plug("524", answers_and_presses("11", first_key=6.0))
    keyed = await practice.clinic.appointment("523", survey=survey, maxretry=1)
    silent = await practice.clinic.appointment("524", survey=survey, maxretry=1)
    await practice.told(keyed, "key", 30)
    await phone.until("answered", 30)
    await until(lambda: phone.heard.seconds_heard() > 0.5, 30, "the other is asked")
    await own.kill()
    await own.start()
    found = await answered(practice, keyed, 60)
    assert (found.alarm["status"], found.alarm["result"]) == (5, 2), practice.serve.tail()
    assert found.responses == ["2"]
    alarm = await practice.settled(silent, 60)
    assert (alarm["status"], alarm["result"], alarm["num_attempt"]) == (5, 1, 2)
    why = [row["why"] for row in await practice.clinic.timeline(silent)]
    assert any(said.startswith("interrupted; again") for said in why), why


async def test_what_was_said_when_the_service_was_killed_is_kept(
    practices: Practices, plug: Plug
) -> None:
    practice = await practices()
    survey = await sealed(
        practice.clinic.rest,
        {"type": RECORD, "script": "Speak.", "timeout": 10, "completed": True},
    )
    phone = await plug("531", Behaviour(voice=4.0, voice_after=2.5, hang_up=0.5))
    appointment = await practice.clinic.appointment("531", survey=survey)
    await phone.until("answered", 30)
    await until(lambda: phone.heard.seconds_heard() > 0.5, 30, "it is asked")
    await asyncio.sleep(3)  # in the midst of what is said
    await practice.serve.kill9()
    await phone.until("hung up by phone", 30)
    await practice.serve.start()
    await practice.told(appointment, "recorded", 90)
    found = await answered(practice, appointment)
    assert found.responses == ["recorded"]
    assert found.results[0]["recording_duration"] > 1.5
