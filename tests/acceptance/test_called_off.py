"""Called off while the phone rings: it stops, if nobody has answered; else the call is finished."""

from datetime import UTC, datetime, timedelta

from tests.acceptance.conftest import Plug, Practice, on_both_databases
from tests.lab.behaviours import by_hand, never_answers

pytestmark = on_both_databases


async def rings_for(practice: Practice, seconds: int) -> None:
    """So long the calls that come next ring."""
    await practice.clinic.rest.patch(practice.clinic.setting, {"call_timeout": seconds})


async def test_an_event_paused_while_it_rings_rings_no_more_until_it_is_resumed(
    practice: Practice, plug: Plug
) -> None:
    await rings_for(practice, 120)
    phone = await plug("601", never_answers())
    appointment = await practice.clinic.appointment("601", maxretry=0)
    await phone.until("ringing")
    await practice.clinic.rest.patch(appointment.event, {"status": 3})
    await phone.until("cancelled")
    await practice.told(appointment, "withdrawn")
    assert (await practice.clinic.alarm(appointment))["status"] == 1
    await rings_for(practice, 6)
    await practice.clinic.rest.patch(appointment.event, {"status": 1})
    await phone.until("ringing", times=2)
    alarm = await practice.settled(appointment)
    assert alarm["status_reason"] == "no_answer"


async def test_an_alarm_deleted_while_it_rings_is_hung_up_and_its_call_stays_in_the_log(
    practice: Practice, plug: Plug
) -> None:
    await rings_for(practice, 120)
    phone = await plug("602", never_answers())
    appointment = await practice.clinic.appointment("602", maxretry=3, retry_delay=0)
    await phone.until("ringing")
    await practice.clinic.rest.delete(appointment.alarm)
    await phone.until("cancelled")
    await practice.clinic.rest.refused("GET", appointment.alarm, {}, 404)
    (call,) = await practice.clinic.calls(appointment)
    assert call["status"] in (5, 7)
    assert (await phone.events()).count("ringing") == 1


async def test_an_alarm_cancelled_after_somebody_answered_is_finished(
    practice: Practice, plug: Plug
) -> None:
    phone = await plug("603", by_hand())
    appointment = await practice.clinic.appointment("603")
    await practice.told(appointment, "answered")
    await practice.clinic.rest.patch(appointment.alarm, {"status": 7})
    await phone.press("1")
    alarm = await practice.settled(appointment)
    assert (alarm["status"], alarm["result"]) == (5, 1)
    assert (await phone.events())[-1] == "hung up by network"


async def test_cancelled_while_it_rings_it_does_not_ring_again_if_its_event_moves_at_once(
    practice: Practice, plug: Plug
) -> None:
    await rings_for(practice, 120)
    rest = practice.clinic.rest
    phone, probe = await plug("604", never_answers()), await plug("605", never_answers())
    appointment = await practice.clinic.appointment("604", maxretry=3, retry_delay=0)
    await phone.until("ringing")
    await rest.patch(appointment.alarm, {"status": 7})
    # The alarm would be due again at once.
    start = datetime.now(UTC) + timedelta(days=1)
    moved = {"start": start.isoformat(), "end": (start + timedelta(hours=1)).isoformat()}
    await rest.patch(appointment.event, moved)
    await phone.until("cancelled")
    alarm = await practice.settled(appointment)
    assert (alarm["status"], alarm["status_reason"]) == (7, "cancelled")
    # A call that comes due later rings, and this one does not.
    await rings_for(practice, 6)
    later = await practice.clinic.appointment("605", maxretry=0)
    await probe.until("ringing")
    await practice.settled(later)
    assert (await phone.events()).count("ringing") == 1
    assert (await practice.words(appointment)).count("originate") == 1
