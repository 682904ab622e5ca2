"""One answer settles an event: whoever else is being rung about it is left in peace."""

from tests.acceptance.conftest import Plug, Practice
from tests.lab.behaviours import by_hand, never_answers
from tests.lab.clinic import Appointment
from tests.lab.exchange import Exchange


async def test_a_key_hangs_up_the_phone_that_still_rings_and_calls_off_what_waits(
    practice: Practice, plug: Plug, exchange: Exchange
) -> None:
    await practice.clinic.rest.patch(practice.clinic.setting, {"call_timeout": 120})
    phone = await plug("481", by_hand())
    other = await plug("482", never_answers())
    await plug("483", never_answers())
    first = await practice.clinic.appointment("481", due_in=2)

    async def also(number: str, advance_notice: int) -> Appointment:
        body = {
            "event": first.event,
            "alarm_phonenumber": number,
            "advance_notice": advance_notice,
        }
        made = await practice.clinic.rest.post("alarm/", body)
        return Appointment(first.event, made["url"], number)

    day = 24 * 3600
    rings, waits = await also("482", day), await also("483", day - 3600)
    await other.until("ringing")
    await phone.until("answered")
    await phone.press("1")
    alarm = await practice.settled(first)
    assert (alarm["status"], alarm["result"]) == (5, 1)
    for appointment in (rings, waits):
        alarm = await practice.settled(appointment)
        assert (alarm["status"], alarm["status_reason"]) == (7, "settled")
    assert (await other.events())[:2] == ["ringing", "cancelled"]
    assert exchange.calls_to("483") == []
