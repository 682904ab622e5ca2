"""Bad luck at the worst moment: nobody is forgotten, and nobody is rung twice unsaid."""

import asyncio
from contextlib import suppress
from functools import partial

import aiohttp
import pytest

from tests.acceptance.conftest import Plug, Practice, Practices, on_both_databases
from tests.lab.asterisk import Asterisk
from tests.lab.behaviours import FOREVER, answers_and_presses, by_hand, never_answers
from tests.lab.clinic import Appointment
from tests.lab.exchange import Exchange
from tests.lab.phone import Phone
from tests.lab.speed import account, limit
from tests.lab.waiting import until
from tests.lab.wire import Wire

pytestmark = pytest.mark.long

CONFIRMED = (5, 1)


async def confirmed(practice: Practice, appointment: Appointment) -> None:
    alarm = await practice.settled(appointment)
    assert (alarm["status"], alarm["result"]) == CONFIRMED, practice.serve.tail()


async def is_ready(practice: Practice) -> bool:
    async with aiohttp.ClientSession() as http, http.get(f"{practice.serve.url}/readyz") as reply:
        return reply.status == 200


# So long a phone rings that the test picks up.
RINGS_LONG = {"call_timeout": 120}
# The question is asked again and again: the phone presses the key when the test gets there.
ASKS_ON = {"retries": 5}


async def asked_again(practice: Practice, appointment: Appointment, phone: Phone) -> None:
    """The service that was started anew has taken the call over, and speaks."""
    await practice.told(appointment, "adopted", 40)
    await phone.hears(0.5)


async def pressed_until_taken(practice: Practice, appointment: Appointment, phone: Phone) -> None:
    """Press 1 as the callee does: once more if it was pressed while nobody listened yet."""
    for _ in range(4):
        await phone.press("1")
        with suppress(AssertionError):
            await practice.told(appointment, "key", 4)
            return


async def is_mended(wire: Wire, websockets: int) -> None:
    """The service is back after a cut, before which it had opened so many websockets."""
    wire.mend()
    await until(lambda: wire.websockets > websockets, 30, "the service is connected again")


async def is_connected(practice: Practice) -> bool:
    async with aiohttp.ClientSession() as http, http.get(f"{practice.serve.url}/readyz") as reply:
        return bool((await reply.json())["checks"]["asterisk"] == "ok")


def rings(exchange: Exchange, number: str) -> int:
    """How many calls the network has carried to a number."""
    return len(exchange.calls_to(number))


async def ringing(practice: Practice, phone: Phone, **alarm: int) -> Appointment:
    """An appointment whose reminder makes the phone ring."""
    appointment = await practice.clinic.appointment(phone.number, **alarm)
    await practice.told(appointment, "ringing")
    await phone.until("ringing")
    return appointment


@on_both_databases
async def test_killed_while_it_rings(practices: Practices, plug: Plug, exchange: Exchange) -> None:
    practice = await practices(section=ASKS_ON, setting=RINGS_LONG)
    phone = await plug("401", by_hand(ring=FOREVER))
    appointment = await ringing(practice, phone)
    await practice.serve.kill9()
    await practice.serve.start()
    await phone.pick_up()
    await practice.told(appointment, "answered")
    await phone.hears(1)
    await phone.press("1")
    await confirmed(practice, appointment)
    assert rings(exchange, "401") == 1


@on_both_databases
async def test_killed_while_it_rings_and_back_after_the_callee_has_answered(
    practices: Practices, plug: Plug, exchange: Exchange
) -> None:
    practice = await practices(section=ASKS_ON, setting=RINGS_LONG)
    phone = await plug("402", by_hand(ring=FOREVER))
    appointment = await ringing(practice, phone)
    await practice.serve.kill9()
    await phone.pick_up()
    # The callee is held with words or a tone, not with silence.
    await phone.hears(0.5)
    await practice.serve.start()
    await practice.told(appointment, "answered", 40)
    await phone.hears(0.5)
    await phone.press("1")
    await confirmed(practice, appointment)
    assert rings(exchange, "402") == 1


async def test_killed_for_good_the_callee_hears_an_apology_and_the_next_start_accounts_for_it(
    practices: Practices, plug: Plug, exchange: Exchange
) -> None:
    practice = await practices(setting=RINGS_LONG)
    phone = await plug("403", by_hand(ring=FOREVER))
    appointment = await ringing(practice, phone, maxretry=0)
    await practice.serve.kill9()
    await phone.pick_up()
    await phone.until("hung up by network", 60)
    assert phone.heard.seconds_heard() > 5
    assert phone.heard.longest_silence() < limit(3), account()
    await practice.serve.start()
    # Nobody has talked to them: they are called again, though no retry is left.
    await phone.until("ringing", 40, times=2)
    await phone.pick_up()
    await phone.hears(0.5)
    await phone.press("1")
    await confirmed(practice, appointment)
    assert rings(exchange, "403") == 2


@on_both_databases
async def test_killed_in_mid_prompt(practices: Practices, plug: Plug, exchange: Exchange) -> None:
    practice = await practices(section=ASKS_ON)
    phone = await plug("404", by_hand())
    appointment = await ringing(practice, phone)
    await phone.has_heard(1)
    await practice.serve.kill9()
    await practice.serve.start()
    await asked_again(practice, appointment, phone)
    await phone.press("1")
    await confirmed(practice, appointment)
    assert rings(exchange, "404") == 1


@on_both_databases
async def test_killed_in_mid_prompt_and_the_callee_hangs_up_meanwhile(
    practices: Practices, plug: Plug, exchange: Exchange
) -> None:
    practice = await practices(section=ASKS_ON)
    phone = await plug("405", by_hand())
    appointment = await ringing(practice, phone, maxretry=1, retry_delay=1)
    await phone.has_heard(0.5)
    await practice.serve.kill9()
    await phone.hang_up()
    await practice.serve.start()
    await phone.until("answered", 40, times=2)
    await phone.hears(0.5)
    await phone.hang_up()
    alarm = await practice.settled(appointment)
    words = await practice.words(appointment)
    # The second call is said, with its reason, before it is placed.
    assert rings(exchange, "405") == alarm["num_attempt"] == 2
    assert words.index("retry") < len(words) - words[::-1].index("originate") - 1
    reasons = [row["why"] for row in await practice.clinic.timeline(appointment)]
    assert any("ANSWERED" in why for why in reasons), reasons


async def test_killed_in_mid_prompt_for_good_the_callee_is_not_left_in_silence(
    practices: Practices, plug: Plug
) -> None:
    practice = await practices(section=ASKS_ON)
    phone = await plug("406", by_hand())
    appointment = await ringing(practice, phone, maxretry=0)
    await phone.hears(0.5)
    await practice.serve.kill9()
    await phone.until("hung up by network", 60)
    # The rest of the prompt, at most fifteen seconds of silence, and the apology.
    assert phone.heard.longest_silence() < limit(17), account()
    assert phone.heard.seconds_heard() > 7
    await practice.serve.start()
    await phone.until("answered", 40, times=2)
    await phone.hears(0.5)
    await phone.press("1")
    await confirmed(practice, appointment)


async def test_frozen_as_the_callee_answers_there_is_an_apology_and_no_long_silence(
    practices: Practices, plug: Plug
) -> None:
    practice = await practices(setting=RINGS_LONG)
    phone = await plug("408", by_hand(ring=FOREVER))
    appointment = await ringing(practice, phone, maxretry=0)
    practice.serve.freeze()
    try:
        await phone.pick_up()
        await phone.until("hung up by network", 50)
    finally:
        practice.serve.thaw()
    answered, over = [
        e.at for e in await phone.log() if e.what in ("answered", "hung up by network")
    ]
    assert (over - answered).total_seconds() < limit(30), account()
    assert phone.heard.seconds_heard() > 3
    await phone.until("ringing", 40, times=2)
    assert "interrupted" in str(await practice.clinic.timeline(appointment))
    await phone.pick_up()
    await phone.hears(0.5)
    await phone.press("1")
    await confirmed(practice, appointment)


@on_both_databases
async def test_killed_after_the_key(practices: Practices, plug: Plug, exchange: Exchange) -> None:
    practice = await practices()
    phone = await plug("407", answers_and_presses("1", first_key=1.0))
    appointment = await ringing(practice, phone)
    await practice.told(appointment, "key")
    await practice.serve.kill9()
    await practice.serve.start()
    await confirmed(practice, appointment)
    assert rings(exchange, "407") == 1
    assert (await phone.events())[-1] == "hung up by network"


@on_both_databases
async def test_the_websocket_is_cut_in_mid_call(
    practices: Practices, plug: Plug, exchange: Exchange, asterisk: Asterisk
) -> None:
    wire = Wire(asterisk.ari_url)
    await wire.start()
    practice = await practices(section=ASKS_ON, settings={"asterisk": {"ari": {"url": wire.url}}})
    phone = await plug("411", by_hand())
    appointment = await ringing(practice, phone)
    await phone.has_heard(1)
    websockets = wire.websockets
    wire.cut()
    await asyncio.sleep(0.5)  # the length of the outage
    await is_mended(wire, websockets)
    await phone.hears(0.5)
    await phone.press("1")
    await confirmed(practice, appointment)
    assert rings(exchange, "411") == 1
    await wire.stop()


async def test_the_websocket_is_cut_while_the_callee_hangs_up(
    practices: Practices, plug: Plug, exchange: Exchange, asterisk: Asterisk
) -> None:
    wire = Wire(asterisk.ari_url)
    await wire.start()
    practice = await practices(section=ASKS_ON, settings={"asterisk": {"ari": {"url": wire.url}}})
    phone = await plug("412", by_hand())
    appointment = await ringing(practice, phone, maxretry=0)
    await phone.until("answered")
    wire.cut()
    await phone.hang_up()
    wire.mend()
    alarm = await practice.settled(appointment)
    assert (alarm["status"], alarm["num_attempt"]) == (3, 1)
    assert rings(exchange, "412") == 1
    await wire.stop()


async def test_asterisk_is_away_and_the_call_waits_for_it(
    practices: Practices, plug: Plug, exchange: Exchange
) -> None:
    late = Asterisk(exchange.port)
    try:
        practice = await practices(asterisk=late)
        phone = await plug("413", answers_and_presses("1"))
        appointment = await practice.clinic.appointment("413")
        await practice.told(appointment, "due")
        ready = await practice.clinic.rest.refused("GET", f"{practice.serve.url}/readyz", {}, 503)
        assert "asterisk.ari.url" in ready["checks"]["asterisk"]
        assert await phone.events() == []
        await late.start()
        await confirmed(practice, appointment)
        assert rings(exchange, "413") == 1
        await until(partial(is_ready, practice), 60, "/readyz, once the trunk has answered OPTIONS")
    finally:
        await late.stop()


@on_both_databases
async def test_asterisk_freezes_when_it_is_told_to_call(
    practices: Practices, plug: Plug, exchange: Exchange, asterisk: Asterisk
) -> None:
    # Not scaled: the longer Asterisk is frozen, the less of what it does then is seen.
    practice = await practices(settings={"asterisk": {"ari": {"timeout_seconds": 1}}})
    await plug("421", answers_and_presses("1", first_key=2.0))
    await until(partial(is_connected, practice), 30, "the service is connected to Asterisk")
    appointment = await practice.clinic.appointment("421", due_in=2.0)
    await practice.told(appointment, "created")
    asterisk.freeze()
    try:
        await practice.told(appointment, "unknown")
    finally:
        asterisk.thaw()
    await confirmed(practice, appointment)
    # Whether the frozen Asterisk carried the order out or not: every ring is told.
    words = await practice.words(appointment)
    log = practice.serve.tail(40)
    assert rings(exchange, "421") == words.count("ringing"), f"{words}\n{log}"


@on_both_databases
async def test_asterisk_dies_in_mid_call(
    practices: Practices, plug: Plug, exchange: Exchange, own: Asterisk
) -> None:
    practice = await practices(asterisk=own, setting=RINGS_LONG)
    phone = await plug("422", never_answers())
    appointment = await ringing(practice, phone, maxretry=1, retry_delay=0)
    await own.kill()
    await practice.clinic.rest.patch(practice.clinic.setting, {"call_timeout": 6})
    await own.start()
    alarm = await practice.settled(appointment, 60)
    words = await practice.words(appointment)
    assert alarm["num_attempt"] == rings(exchange, "422") == 2
    assert "unknown" in words
    assert "redial" in words


@on_both_databases
async def test_a_worker_dies_and_another_takes_its_call_over(
    practices: Practices, plug: Plug, exchange: Exchange
) -> None:
    # The dialplan ends a channel whose application has been away for 15 s.
    lease = min(limit(5), 8)
    practice = await practices(
        section=ASKS_ON, settings={"worker": {"name": "first", "lease_seconds": lease}}
    )
    phone = await plug("431", by_hand())
    appointment = await ringing(practice, phone)
    second = practice.serve.twin("second")
    await second.start()
    try:
        await phone.until("answered")
        await practice.serve.kill9()
        async with second.rest("clinic", "correct horse battery") as rest:
            practice.clinic.rest = rest
            alarm_path = appointment.alarm.split("/rest-api/")[1]
            event_path = appointment.event.split("/rest-api/")[1]
            moved = Appointment(event_path, alarm_path, appointment.number)
            await asked_again(practice, moved, phone)
            await pressed_until_taken(practice, moved, phone)
            await confirmed(practice, moved)
        assert rings(exchange, "431") == 1
    finally:
        await second.stop()
