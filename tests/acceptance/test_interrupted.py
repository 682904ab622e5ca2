"""An answered call is cut off by a crash, a restart or a lost connection: it is placed again."""

import pytest

from tests.acceptance.conftest import Plug, Practice, Practices, on_both_databases
from tests.acceptance.test_faults import ASKS_ON, confirmed, is_mended, ringing, rings
from tests.lab.asterisk import Asterisk
from tests.lab.behaviours import by_hand
from tests.lab.clinic import Appointment
from tests.lab.exchange import Exchange
from tests.lab.phone import Phone
from tests.lab.wire import Wire

pytestmark = pytest.mark.long


async def answers_the_second_call(
    practice: Practice, phone: Phone, appointment: Appointment, exchange: Exchange
) -> None:
    """The phone is called again, though no retry is left, and its key counts."""
    await phone.until("answered", 60, times=2)
    await phone.hears(0.5)
    await phone.press("1")
    await confirmed(practice, appointment)
    said = [row["why"] for row in await practice.clinic.timeline(appointment)]
    assert any(why.startswith("interrupted; again") for why in said), said
    assert rings(exchange, phone.number) == 2


@on_both_databases
@pytest.mark.parametrize("how", ["restarted", "killed", "both killed"])
async def test_asterisk_ends_in_mid_prompt(
    practices: Practices, plug: Plug, exchange: Exchange, own: Asterisk, how: str
) -> None:
    practice = await practices(asterisk=own, section=ASKS_ON)
    number = {"restarted": "651", "killed": "652", "both killed": "653"}[how]
    phone = await plug(number, by_hand())
    appointment = await ringing(practice, phone, maxretry=0)
    await practice.told(appointment, "answered")
    await phone.hears(0.5)
    if how == "restarted":
        await own.cli("core restart now")
        await phone.until("hung up by network")
    elif how == "killed":
        await own.kill()
        await own.start()
    else:
        await practice.serve.kill9()
        await own.kill()
        await own.start()
        await practice.serve.start()
    await answers_the_second_call(practice, phone, appointment, exchange)


@on_both_databases
async def test_the_connection_with_asterisk_is_lost_until_the_call_is_over(
    practices: Practices, plug: Plug, exchange: Exchange, asterisk: Asterisk
) -> None:
    wire = Wire(asterisk.ari_url)
    await wire.start()
    practice = await practices(section=ASKS_ON, settings={"asterisk": {"ari": {"url": wire.url}}})
    phone = await plug("654", by_hand())
    appointment = await ringing(practice, phone, maxretry=0)
    await practice.told(appointment, "answered")
    await phone.hears(0.5)
    websockets = wire.websockets
    wire.cut()
    await phone.until("hung up by network", 60)
    await is_mended(wire, websockets)
    await answers_the_second_call(practice, phone, appointment, exchange)
    await wire.stop()


async def test_who_hangs_up_is_not_called_again_at_no_cost(
    practices: Practices, plug: Plug, exchange: Exchange
) -> None:
    practice = await practices()
    phone = await plug("655", by_hand())
    appointment = await ringing(practice, phone, maxretry=0)
    await phone.hears(0.5)
    await phone.hang_up()
    alarm = await practice.settled(appointment)
    assert (alarm["status"], alarm["status_reason"]) == (3, "early_hangup")
    assert rings(exchange, "655") == 1
