"""Every type of section on a real call: what the phones hear and press, and what the API says."""

import asyncio
import io
import wave
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from telealarm.rules.rate_limit import READY
from tests.acceptance.conftest import LOGIN, Plug, Practice
from tests.acceptance.test_recordings import cycles
from tests.lab.behaviours import (
    Behaviour,
    answers_and_presses,
    answers_only,
    busy,
    by_hand,
    hangs_up_after,
    never_answers,
    presses_by_info,
    talks_on,
)
from tests.lab.clinic import Appointment
from tests.lab.exchange import Exchange
from tests.lab.listener import understood
from tests.lab.phone import Phone
from tests.lab.rest import JSON, Rest, number_of
from tests.lab.speed import account, limit
from tests.lab.waiting import until

PLAY, CHOICE, RATING, DIGITS, RECORD, TRANSFER, HANG_UP, CONFERENCE, BLOCK, SMS = range(1, 11)
RATES = {"type": RATING, "rating_laps": 3, "script": "Press 1, 2 or 3.", "timeout": 3}
# Asked again and again: the phone presses the key when the test gets there.
ASKS_ON = {**RATES, "retries": 5}


async def sealed(rest: Rest, *sections: JSON, branches: JSON | None = None, **survey: Any) -> str:
    """A survey of these sections. `branches` like {(0, "1"): 2}: from, key, to (None: the end)."""
    made = await rest.post("survey-template/", {"name": "sections", **survey})
    links = []
    for section in sections:
        body = {"survey": made["url"], "timeout": 3, **section}
        links.append((await rest.post("section-template/", body))["url"])
    for (place, keys), goto in (branches or {}).items():
        to = None if goto is None else links[goto]
        body = {"section": links[place], "keys": keys, "goto": to}
        await rest.post("branching-template/", body)
    return str((await rest.post(f"{made['url']}seal/", {}))["url"])


@dataclass
class Answered:
    """What became of an alarm: its rows as the API shows them."""

    alarm: JSON
    call: JSON
    results: list[JSON]
    timeline: list[JSON]

    @property
    def words(self) -> list[str]:
        return [row["what"] for row in self.timeline]

    @property
    def responses(self) -> list[str]:
        return [result["response"] for result in self.results]


async def answered(practice: Practice, appointment: Appointment, seconds: float = 40) -> Answered:
    alarm = await practice.settled(appointment, seconds)
    calls = await practice.clinic.calls(appointment)
    assert len(calls) == 1, f"{await practice.clinic.timeline(appointment)} {calls}"
    (call,) = calls
    results = await practice.clinic.rest.results(f"result/?callrequest={number_of(call['url'])}")
    results.sort(key=lambda result: int(result["section"]))
    return Answered(alarm, call, results, await practice.clinic.timeline(appointment))


def seconds_up(call: JSON) -> float:
    """How long it was answered."""
    answered_at, ended_at = (datetime.fromisoformat(call[name]) for name in ("answered", "ended"))
    return (ended_at - answered_at).total_seconds()


async def test_keys_by_info_choose_capture_and_rate(practice: Practice, plug: Plug) -> None:
    rest = practice.clinic.rest
    survey = await sealed(
        rest,
        {"type": PLAY, "script": "Good morning."},
        {"type": CHOICE, "script": "Which day?", "key_1": "Monday", "key_4": "Thursday"},
        {
            "type": DIGITS,
            "script": "Please enter the number of your card, and the hash key.",
            "number_digits": 8,
            "min_number": 1,
            "max_number": 2000,
        },
        RATES,
    )
    # The greeting is cut; the first digit cuts the question for the number.
    phone = await plug("301", presses_by_info("4" + "0123#" + "2", first_key=2.0, between=1.2))
    alarm = await practice.clinic.appointment("301", survey=survey)
    found = await answered(practice, alarm)
    assert found.responses == ["4", "0123", "2"]
    assert (found.alarm["status"], found.alarm["result"], found.call["result"]) == (5, 2, "2")
    assert phone.heard.seconds_heard() > 1.5
    # The request, the call and the timeline tell the same story.
    timeline = await practice.clinic.timeline(alarm)
    assert [row["why"] for row in timeline if row["what"] == "key"] == found.responses
    (request,) = await rest.results(f"alarm-request/?alarm={number_of(alarm.alarm)}")
    assert (request["status"], request["callrequest"]) == (5, found.call["url"])
    assert (found.call["status"], found.call["disposition"]) == (4, "ANSWER")
    assert request["callstatus"] == found.call["hangup_cause"] == 16
    assert request["duration"] == pytest.approx(seconds_up(found.call), abs=0.6)
    totals = await rest.get(f"surveyaggregate/{number_of(survey)}/")
    assert [one["response"] for one in totals["results"]] == ["4", "0123", "2"]


async def test_the_survey_says_which_rating_counts(practice: Practice, plug: Plug) -> None:
    async def rated(number: str, counts: str, result: int) -> None:
        survey = await sealed(practice.clinic.rest, RATES, RATES, rating_counts=counts)
        await plug(number, answers_and_presses("12", first_key=1.0, between=1.0))
        found = await answered(practice, await practice.clinic.appointment(number, survey=survey))
        assert found.responses == ["1", "2"]
        assert (found.alarm["result"], found.call["result"]) == (result, str(result))

    await asyncio.gather(rated("303", "first", 1), rated("304", "last", 2))


BEEP = 700  # Hz
Speaks = Callable[[Phone, Appointment], Awaitable[None]]


async def fetched(url: str) -> bytes:
    headers = {"Authorization": aiohttp.encode_basic_auth(*LOGIN)}
    async with aiohttp.ClientSession(headers=headers) as http, http.get(url) as reply:
        assert reply.status == 200, await reply.text()
        return await reply.read()


async def test_a_message_ends_by_silence_by_its_longest_time_by_a_key_or_by_a_hang_up(
    practice: Practice, plug: Plug
) -> None:
    async def recorded(
        number: str, voice: float, speaks: Speaks, *rated: str, **section: Any
    ) -> float:
        """The seconds of the message that the API has."""
        speaks_up = {"type": RECORD, "script": "Speak.", "completed": True, **section}
        survey = await sealed(practice.clinic.rest, speaks_up, RATES)
        phone = await plug(number, by_hand(voice=voice))
        appointment = await practice.clinic.appointment(number, survey=survey)

        async def beeps() -> bool:
            return cycles(phone.heard, BEEP) > 0.1

        await until(beeps, 40, f"{number} hears the beep")
        await speaks(phone, appointment)
        found = await answered(practice, appointment)
        assert found.responses == ["recorded", *rated], (number, found)
        assert "recorded" in found.words
        assert (found.alarm["status"], found.call["completed"]) == (5, True)
        assert 0.1 < cycles(phone.heard, BEEP) < 0.6, number
        message = found.results[0]
        with wave.open(io.BytesIO(await fetched(message["record_file"]))) as wav:
            seconds = wav.getnframes() / wav.getframerate()
        assert message["recording_duration"] == pytest.approx(seconds, abs=0.01)
        return seconds

    async def asked(phone: Phone, appointment: Appointment) -> None:
        """The message is kept, and the question comes."""
        await practice.told(appointment, "recorded", 30)
        await phone.hears(0.5)
        await phone.press("1")

    async def speaks(phone: Phone, appointment: Appointment) -> None:
        await phone.speak()
        await asked(phone, appointment)

    async def presses(phone: Phone, appointment: Appointment) -> None:
        await phone.speak()
        await asyncio.sleep(1.2)  # a little more than it says
        await phone.press("5")
        await asked(phone, appointment)

    async def leaves(phone: Phone, appointment: Appointment) -> None:
        await phone.speak()
        await asyncio.sleep(2.2)  # a little more than it says
        await phone.hang_up()

    # What the phone has sent: it sends nothing while it is silent.
    by_silence, by_time, by_key, by_hang_up = await asyncio.gather(
        recorded("311", 3.0, speaks, "1", timeout=2),
        recorded("313", 20.0, speaks, "1", recording_seconds=3),
        recorded("314", 1.0, presses, "1", timeout=10),
        recorded("312", 2.0, leaves, timeout=10),
    )
    assert 2.0 < by_silence < 7.0
    assert by_time == 3.0
    assert 0.5 < by_key < 2.0
    assert by_hang_up > 1.5


async def test_a_key_in_the_beep_ends_the_message_too(practice: Practice, plug: Plug) -> None:
    async def begun(number: str, later: float) -> None:
        survey = await sealed(
            practice.clinic.rest, {"type": RECORD, "script": "Speak.", "timeout": 0}, RATES
        )
        phone = await plug(number, by_hand())
        alarm = await practice.clinic.appointment(number, survey=survey)
        await phone.until("answered", 30)
        await phone.has_heard(0.2)
        await asyncio.sleep(later)
        await phone.press("3")
        await phone.hears(1)
        await phone.press("1")
        assert (await answered(practice, alarm)).responses == ["1"]
        # The question is asked already as the second key is pressed.
        (pressed,) = [entry.at for entry in await phone.log() if entry.what == "key 1"]
        rows = await practice.clinic.timeline(alarm)
        (kept,) = [datetime.fromisoformat(row["at"]) for row in rows if row["what"] == "key"]
        assert (kept - pressed).total_seconds() < limit(1.5), f"{later}; {account()}"

    await asyncio.gather(begun("315", 0.0), begun("316", 0.15), begun("317", 0.3))


def to_agent(number: str | None, **section: Any) -> JSON:
    return {
        "type": TRANSFER,
        "script": "We connect you.",
        "phonenumber": number,
        "confirm_script": "A patient wants to talk with you. Press 5 to take the call.",
        "confirm_key": "5",
        **section,
    }


# So long it takes to say that nobody can take the call.
NO_AGENT_SECONDS = 2.6
# What the callee is told then, and what is not said.
NOBODY = ["nobody can take your call", "thank you goodbye", "you have cancelled"]


async def transfers(practice: Practice, found: Answered) -> list[JSON]:
    call = number_of(found.call["url"])
    return await practice.clinic.rest.results(f"transfer/?callrequest={call}")


async def takes(agent: Phone, practice: Practice, appointment: Appointment) -> None:
    """The agent, who is asked, takes the call."""
    await agent.until("answered", 40)
    await agent.has_heard(0.5)
    await agent.press("5")
    await practice.told(appointment, "transfer_taken", 30)


async def test_a_callee_talks_with_an_agent_who_takes_the_call(
    practice: Practice, plug: Plug
) -> None:
    survey = await sealed(practice.clinic.rest, to_agent(None, retries=3), RATES)
    agent, phone = await plug("322", by_hand(ring=2.0)), await plug("321", talks_on())
    alarm = await practice.clinic.appointment("321", survey=survey, phonenumber_transfer="322")
    await takes(agent, practice, alarm)
    await agent.hears(4)
    await phone.hang_up()
    found = await answered(practice, alarm)
    assert found.responses == ["taken"]
    assert found.alarm["status"] == 5
    # The callee has heard ringing; the agent the question, and then the callee.
    assert phone.heard.seconds_heard() > 1.5
    assert agent.heard.seconds_heard() > 4.5
    assert (await phone.events())[-1] == "hung up by phone"
    await agent.until("hung up by network")
    (row,) = await transfers(practice, found)
    assert row["phone_number"] == "322"
    assert row["disposition"] == "ANSWER"
    assert row["taken"] and row["ended"]
    assert [w for w in found.words if w.startswith("transfer")] == [
        "transfer",
        "transfer_taken",
        "transfer_ended",
    ]


async def test_an_agent_is_called_at_the_pace_of_the_gateway(
    practice: Practice, plug: Plug, exchange: Exchange
) -> None:
    rest = practice.clinic.rest
    (gateway,) = await rest.results("gateway/")
    await rest.patch(gateway["url"], {"calls_per_second": 0.2})
    try:
        survey = await sealed(rest, to_agent("326", script="Yes."))
        await plug("326", busy())
        phone = await plug("325", answers_only())
        begun = datetime.now(UTC)
        appointment = await practice.clinic.appointment("325", survey=survey, due_in=1.0)
        found = await answered(practice, appointment)
    finally:
        await rest.patch(gateway["url"], {"calls_per_second": 0})
    assert found.responses == ["busy"]
    (second,) = exchange.calls_to("326")
    # A call is made ready for its slot a moment before it is due.
    assert (second.at - begun).total_seconds() >= 1.0 - READY.total_seconds() + 5.0
    # The callee hears ringing meanwhile.
    assert phone.heard.longest_silence() < limit(4.5), account()


async def test_an_agent_who_hangs_up_ends_both(practice: Practice, plug: Plug) -> None:
    survey = await sealed(practice.clinic.rest, to_agent("332", retries=3), RATES)
    phone = await plug("331", answers_only())
    agent = await plug("332", by_hand(ring=1.0))
    appointment = await practice.clinic.appointment("331", survey=survey)
    await takes(agent, practice, appointment)
    await agent.hang_up()
    found = await answered(practice, appointment)
    assert found.responses == ["taken"]
    assert (await phone.events())[-1] == "hung up by network"
    assert (await agent.events())[-1] == "hung up by phone"


async def test_where_nobody_takes_the_call_the_callee_is_told_and_the_survey_goes_on(
    practice: Practice, plug: Plug
) -> None:
    async def not_taken(number: str, agent: Behaviour | None, response: str) -> None:
        """The callee rates when they are asked, or ahead: while the agent rings for long."""
        other = str(int(number) + 1)
        survey = await sealed(practice.clinic.rest, to_agent(other), ASKS_ON)
        rung = await plug(other, agent) if agent is not None else None
        phone = await plug(number, by_hand())
        appointment = await practice.clinic.appointment(number, survey=survey)
        if rung is not None and agent == never_answers():
            await rung.until("ringing", 40)
        else:
            await practice.told(appointment, "transfer_failed", 40)
            await phone.hears(NO_AGENT_SECONDS + 0.5)
        await phone.press("3")
        found = await answered(practice, appointment)
        assert found.responses == [response, "3"]
        assert found.alarm["result"] == 3
        assert phone.heard.longest_silence() < limit(5.5), account()
        said = await asyncio.to_thread(understood, phone.heard.samples(), NOBODY)
        assert said == {"nobody can take your call"}, response
        (row,) = await transfers(practice, found)
        assert row["taken"] is None
        assert row["ended"]

    await asyncio.gather(
        not_taken("341", busy(), "busy"),
        not_taken("343", never_answers(), "no_answer"),
        not_taken("345", None, "wrong_number"),
        # Another key than the one that takes the call.
        not_taken("347", answers_and_presses("4*", first_key=2.0), "not_taken"),
        # Who picks up and hangs up at once: their channel is gone as they are asked.
        not_taken("349", hangs_up_after(0.001), "not_taken"),
    )


async def test_a_callee_who_hangs_up_while_the_agent_rings_leaves_nobody_ringing(
    practice: Practice, plug: Plug
) -> None:
    survey = await sealed(practice.clinic.rest, to_agent("352"), RATES)
    phone = await plug("351", by_hand())
    agent = await plug("352", never_answers())
    alarm = await practice.clinic.appointment("351", survey=survey, maxretry=0)
    await agent.until("ringing", 40)
    await phone.hang_up()
    await agent.until("cancelled", 30)
    await answered(practice, alarm)


async def test_two_callees_meet_in_a_conference_that_goes_with_them(
    practice: Practice, plug: Plug
) -> None:
    rest = practice.clinic.rest
    room = {"type": CONFERENCE, "script": "Welcome.", "conference": "Board"}
    survey = await sealed(rest, room, ASKS_ON)
    one, two = await plug("361", by_hand()), await plug("362", by_hand(voice=6.0))
    first = await practice.clinic.appointment("361", survey=survey)
    second = await practice.clinic.appointment("362", survey=survey)
    await practice.told(first, "conference", 30)
    await practice.told(second, "conference", 30)
    await two.speak()
    await one.hears(4)
    await one.hears_out()
    # They leave, are asked, and answer.
    for phone, appointment, key in ((two, second, "2"), (one, first, "1")):
        await phone.press("#")
        await phone.hears(1.5)
        await phone.press(key)
        await practice.told(appointment, "key", 30)
    found = await answered(practice, first)
    assert found.responses == ["joined", "1"], practice.serve.tail()
    other = await answered(practice, second)
    assert other.responses == ["joined", "2"], (await two.events(), practice.serve.tail())
    # The one heard the other speak.
    assert one.heard.seconds_heard() > 4
    assert two.heard.seconds_heard() > 1
    assert "conference" in found.words


async def test_whoever_asks_not_to_be_called_is_not(practice: Practice, plug: Plug) -> None:
    rest = practice.clinic.rest
    survey = await sealed(
        rest,
        {"type": CHOICE, "script": "Press 9 to be called no more.", "key_9": "no more calls"},
        {"type": BLOCK, "script": "You will not be called again."},
        {"type": HANG_UP, "script": "Goodbye."},
    )
    phone = await plug("371", answers_and_presses("9", first_key=1.0))
    found = await answered(practice, await practice.clinic.appointment("371", survey=survey))
    assert found.responses == ["9", "added"]
    assert phone.heard.seconds_heard() > 2
    (contact,) = await rest.results("dnc-contact/?phone_number=371")
    again = await practice.settled(await practice.clinic.appointment("371", survey=survey))
    assert (again["status"], again["status_reason"]) == (3, "do_not_call")
    await rest.delete(contact["url"])


async def test_an_sms_is_sent_to_the_callee(practice: Practice, plug: Plug) -> None:
    survey = await sealed(
        practice.clinic.rest,
        {"type": SMS, "script": "You get the address by SMS.", "sms_text": "See {doc_name}."},
    )
    phone = await plug("381", answers_only())
    found = await answered(practice, await practice.clinic.appointment("381", survey=survey))
    assert found.responses == ["queued"]
    assert phone.heard.seconds_heard() > 1
    await until(lambda: practice.sms.messages, 30, "the SMS is sent")
    sent = practice.sms.messages[-1]
    assert (sent.to, sent.text) == ("381", "See Doctor Smith.")


async def test_an_answer_is_spoken_back(practice: Practice, plug: Plug) -> None:
    rest = practice.clinic.rest
    await rest.patch(practice.clinic.setting, {"confirm_spoken": True})
    try:
        survey = await sealed(
            rest,
            {"type": DIGITS, "script": "Go.", "number_digits": 4, "max_number": 9999},
            {"type": HANG_UP},
        )
        phone = await plug("391", answers_and_presses("1123#", first_key=2.0, between=0.4))
        found = await answered(practice, await practice.clinic.appointment("391", survey=survey))
    finally:
        await rest.patch(practice.clinic.setting, {"confirm_spoken": False})
    assert found.responses == ["1123"]
    phrases = ["you entered", "you have cancelled", "that key is not available"]
    # The telephone's coding blurs just these words: at 1e-18 they are missed.
    said = await asyncio.to_thread(understood, phone.heard.samples(), phrases, 1e-25)
    assert said == {"you entered"}
