"""Bad luck in the middle of a talk, a conference, or a message: it goes on, or is accounted for."""

import asyncio
from collections.abc import Sequence

import pytest

from tests.acceptance.conftest import Plug, Practice, Practices
from tests.acceptance.test_faults import RINGS_LONG, is_mended
from tests.acceptance.test_sections import (
    ASKS_ON,
    CONFERENCE,
    RATES,
    RECORD,
    answered,
    sealed,
    takes,
    to_agent,
    transfers,
)
from tests.lab.asterisk import Asterisk
from tests.lab.behaviours import (
    FOREVER,
    TALK_SECONDS,
    answers_and_presses,
    answers_only,
    by_hand,
    talks_on,
)
from tests.lab.clinic import Appointment
from tests.lab.recorder import RATE
from tests.lab.waiting import until
from tests.lab.wire import Wire

pytestmark = pytest.mark.long


async def broken(
    practice: Practice, wire: Wire, how: str, appointments: Sequence[Appointment]
) -> None:
    """The service is killed and started anew, or loses Asterisk for a moment; it is back now."""
    if how == "killed":
        await practice.serve.kill9()
        await practice.serve.start()
        for appointment in appointments:
            await practice.told(appointment, "adopted", 40)
        return
    websockets = wire.websockets
    wire.cut()
    await asyncio.sleep(0.5)  # the length of the outage
    await is_mended(wire, websockets)


async def test_two_who_talk_go_on_talking(practices: Practices, plug: Plug) -> None:
    practice = await practices()
    survey = await sealed(practice.clinic.rest, to_agent("502", retries=3), RATES)
    agent, phone = await plug("502", by_hand()), await plug("501", talks_on())
    appointment = await practice.clinic.appointment("501", survey=survey)
    await takes(agent, practice, appointment)
    await practice.serve.kill9()
    await practice.serve.start()
    # Asterisk would have ended the call of two whom nobody watches over before that.
    await agent.hears(5)
    await phone.hang_up()
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
    [(b"/ari/bridges/ta-", "541"), (b"/addChannel", "543"), (None, "545")],
    ids=["before the bridge", "in the midst of joining", "while they talk"],
)
async def test_two_who_talk_go_on_talking_through_a_cut_wire(
    practices: Practices, plug: Plug, asterisk: Asterisk, cuts_at: bytes | None, number: str
) -> None:
    wire = Wire(asterisk.ari_url, cuts_at)
    await wire.start()
    practice = await practices(settings={"asterisk": {"ari": {"url": wire.url}}})
    other = str(int(number) + 1)
    survey = await sealed(practice.clinic.rest, to_agent(other, retries=3), RATES)
    agent, phone = await plug(other, by_hand()), await plug(number, talks_on())
    appointment = await practice.clinic.appointment(number, survey=survey)
    await takes(agent, practice, appointment)
    if cuts_at is None:
        await agent.hears(1)
        wire.cut()
    await until(lambda: wire.is_cut, 30, "the wire is cut")
    await asyncio.sleep(0.5)  # the length of the outage
    wire.mend()
    await agent.hears(5)
    await phone.hang_up()
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
    practice = await practices(setting=RINGS_LONG)
    survey = await sealed(practice.clinic.rest, to_agent("506", retries=3), RATES)
    agent = await plug("506", by_hand(ring=FOREVER))
    await plug("505", answers_only())
    appointment = await practice.clinic.appointment("505", survey=survey)
    await agent.until("ringing", 30)
    await practice.serve.kill9()
    await practice.serve.start()
    await agent.until("cancelled", 40)
    await agent.until("ringing", 40, times=2)
    await agent.pick_up()
    await takes(agent, practice, appointment)
    await agent.hang_up()
    found = await answered(practice, appointment, 60)
    assert found.responses == ["taken"], practice.serve.tail()
    rows = await transfers(practice, found)
    assert [(bool(row["taken"]), bool(row["ended"])) for row in rows] == [
        (False, True),
        (True, True),
    ]


@pytest.mark.parametrize(("how", "number"), [("killed", "511"), ("cut off", "513")])
async def test_two_who_confer_go_on_conferring(
    practices: Practices, plug: Plug, asterisk: Asterisk, how: str, number: str
) -> None:
    wire = Wire(asterisk.ari_url)
    await wire.start()
    practice = await practices(settings={"asterisk": {"ari": {"url": wire.url}}})
    other = str(int(number) + 1)
    room = {"type": CONFERENCE, "script": "Welcome.", "conference": "Board"}
    survey = await sealed(practice.clinic.rest, room, ASKS_ON)
    one, two = await plug(number, by_hand()), await plug(other, by_hand(voice=8.0))
    first = await practice.clinic.appointment(number, survey=survey)
    second = await practice.clinic.appointment(other, survey=survey)
    await practice.told(first, "conference", 30)
    await practice.told(second, "conference", 30)
    await broken(practice, wire, how, [first, second])
    await two.speak()
    await one.hears(5)
    await one.hears_out()
    # They leave, are asked, and answer.
    for phone, appointment, key in ((one, first, "1"), (two, second, "2")):
        await phone.press("#")
        await phone.hears(1.5)
        await phone.press(key)
        await practice.settled(appointment)
    found, also = await answered(practice, first, 60), await answered(practice, second, 60)
    assert (found.responses, also.responses) == (["joined", "1"], ["joined", "2"])
    assert found.words.count("conference") == also.words.count("conference") == 1
    assert (await two.events())[-1] == "hung up by network"
    await wire.stop()


async def test_asterisk_dies_while_two_talk(
    practices: Practices, plug: Plug, own: Asterisk
) -> None:
    practice = await practices(asterisk=own)
    survey = await sealed(practice.clinic.rest, to_agent("522", retries=3), RATES)
    await plug("521", answers_only())
    agent = await plug("522", by_hand())
    appointment = await practice.clinic.appointment("521", survey=survey, maxretry=0)
    await takes(agent, practice, appointment)
    await own.kill()
    await own.start()
    found = await answered(practice, appointment, 60)
    assert found.responses == ["taken"], practice.serve.tail()

    async def all_ended() -> bool:
        return all(row["ended"] for row in await transfers(practice, found))

    await until(all_ended, 30, "the agent's call is accounted for")


async def test_asterisk_dies_in_mid_survey(practices: Practices, plug: Plug, own: Asterisk) -> None:
    practice = await practices(asterisk=own)
    survey = await sealed(practice.clinic.rest, ASKS_ON, {**ASKS_ON, "timeout": 30})
    # The one has answered the first question; the other is asked again.
    await plug("523", answers_and_presses("2", first_key=0.5))
    phone = await plug("524", by_hand())
    keyed = await practice.clinic.appointment("523", survey=survey, maxretry=1)
    silent = await practice.clinic.appointment("524", survey=survey, maxretry=1)
    await practice.told(keyed, "key", 30)
    await phone.until("answered", 30)
    await phone.hears(0.5)
    await own.kill()
    await own.start()
    await phone.until("answered", 40, times=2)
    for answers in (1, 2):
        await phone.hears(1)
        await phone.press("1")
        await practice.told(silent, "key", 30, times=answers)
    found = await answered(practice, keyed, 60)
    assert (found.alarm["status"], found.alarm["result"]) == (5, 2), practice.serve.tail()
    assert found.responses == ["2"]
    alarm = await practice.settled(silent, 60)
    assert (alarm["status"], alarm["result"], alarm["num_attempt"]) == (5, 1, 2)
    why = [row["why"] for row in await practice.clinic.timeline(silent)]
    assert any(said.startswith("interrupted; again") for said in why), why


def recorded(asterisk: Asterisk) -> int:
    """How many bytes of messages Asterisk holds; what `/readyz` tries is not among them."""
    return sum(path.stat().st_size for path in asterisk.recordings_dir.rglob("ta-*"))


async def test_what_was_said_when_the_service_was_killed_is_kept(
    practices: Practices, plug: Plug, asterisk: Asterisk
) -> None:
    practice = await practices()
    survey = await sealed(
        practice.clinic.rest,
        {"type": RECORD, "script": "Speak.", "timeout": 10, "completed": True},
    )
    phone = await plug("531", by_hand(voice=TALK_SECONDS))
    before = recorded(asterisk)
    appointment = await practice.clinic.appointment("531", survey=survey)
    await phone.until("answered", 30)
    await until(lambda: recorded(asterisk) > before, 30, "Asterisk records")
    await phone.speak()
    # In the midst of what is said.
    two_seconds = 2 * 2 * RATE
    await until(lambda: recorded(asterisk) > before + two_seconds, 30, "two seconds are recorded")
    await practice.serve.kill9()
    await phone.hang_up()
    await practice.serve.start()
    await practice.told(appointment, "recorded", 90)
    found = await answered(practice, appointment)
    assert found.responses == ["recorded"]
    assert found.results[0]["recording_duration"] > 1.5
