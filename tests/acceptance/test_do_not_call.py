"""A number on a do-not-call list is never rung."""

from tests.acceptance.conftest import Plug, Practice
from tests.lab.behaviours import answers_and_presses
from tests.lab.exchange import Exchange


async def test_the_network_sees_no_call_to_a_listed_number(
    practice: Practice, plug: Plug, exchange: Exchange
) -> None:
    phone = await plug("951", answers_and_presses("1"))
    rest = practice.clinic.rest
    listed = await rest.post("dnc-list/", {"name": "opted out"})
    await rest.post("dnc-contact/", {"dnc": listed["url"], "phone_number": "9-51"})
    appointment = await practice.clinic.appointment("951", maxretry=2)
    alarm = await practice.settled(appointment)
    assert (alarm["status"], alarm["status_reason"], alarm["num_attempt"]) == (3, "do_not_call", 0)
    assert await practice.words(appointment) == ["created", "due", "failure"]
    # Another number of the same clinic is rung, after it.
    await plug("952", answers_and_presses("1"))
    assert (await practice.settled(await practice.clinic.appointment("952")))["result"] == 1
    assert exchange.calls_to("951") == []
    assert await phone.events() == []
