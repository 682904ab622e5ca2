"""Dialing is stopped from the command line and let go on; a survey is tried on a real phone."""

from tests.acceptance.conftest import Plug, Practice, Practices
from tests.lab.behaviours import answers_and_presses, by_hand
from tests.lab.clinic import Appointment
from tests.lab.exchange import Exchange
from tests.lab.waiting import until


async def test_paused_nothing_rings_and_resumed_it_rings_at_once(
    practices: Practices, plug: Plug, exchange: Exchange
) -> None:
    practice = await practices()
    up = await plug("961", by_hand())
    phone = await plug("962", answers_and_presses("2"))
    first = await practice.clinic.appointment("961")
    await up.until("answered")
    # From another process; the call that is up goes on.
    assert "dialing is paused since" in await practice.serve.command("dialing", "pause")
    await up.press("1")
    second = await practice.clinic.appointment("962")
    await practice.told(second, "held")
    # Whether all is ready is another question: the trunk may not have answered OPTIONS yet.
    health = await practice.clinic.rest.health()
    remarks = health["remarks"]
    assert remarks["dialing"].startswith("dialing is paused since")
    assert (await practice.settled(first))["result"] == 1
    assert exchange.calls_to("962") == []
    assert (await practice.words(second)).count("held") == 1
    assert await practice.serve.command("dialing", "resume") == "dialing goes on\n"
    await phone.until("ringing", 10)
    assert (await practice.settled(second))["result"] == 2


async def test_a_survey_is_tried_on_a_phone(practice: Practice, plug: Plug) -> None:
    phone = await plug("963", answers_and_presses("1", first_key=2.0))
    rest = practice.clinic.rest
    survey = (await rest.get(practice.clinic.setting))["survey"]
    made = await rest.post(f"{survey}call/", {"phonenumber": "963", "data": {"doc_name": "Who"}})
    alarm = await practice.settled(Appointment(made["event"], made["alarm"], "963"))
    assert (alarm["status"], alarm["result"]) == (5, 1)
    assert await phone.events() == ["ringing", "answered", "key 1", "hung up by network"]
    assert phone.heard.seconds_heard() > 1

    async def logged() -> bool:
        (call,) = await rest.results(made["calls"].split("/rest-api/")[1])
        return call["disposition"] == "ANSWER"

    await until(logged, 30, "the call is in the log")
