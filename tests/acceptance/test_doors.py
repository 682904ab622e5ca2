"""The dialplan's doors, with phones that call: ringing back, and ordering a wake-up call."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from tests.acceptance.conftest import NewDatabase, Plug, Practice, open_practice
from tests.lab.asterisk import Asterisk
from tests.lab.behaviours import Behaviour, answers_and_presses, answers_only, never_answers
from tests.lab.caller import Caller
from tests.lab.clinic import Appointment
from tests.lab.exchange import Exchange
from tests.lab.listener import understood
from tests.lab.phone import Phone
from tests.lab.ports import HOST, free_tcp_port
from tests.lab.rest import JSON, number_of

CALLBACK = "7001"
Dial = Callable[[str, str, Behaviour], Awaitable[Caller]]


# What a guest hears, and a patient: nothing of it comes from the event's data.
SCRIPT = "Good morning. Press 1 when you are awake, or 2 to be called again."


@pytest.fixture(scope="module")
def agi_port() -> int:
    return free_tcp_port()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def practice(
    asterisk: Asterisk, agi_port: int, new_database: NewDatabase
) -> AsyncIterator[Practice]:
    """A clinic, and hotel, whose phones ring it too."""
    async with AsyncExitStack() as stack:
        settings = {"agi": {"host": HOST, "port": agi_port}}
        yield await open_practice(
            stack, asterisk, database=new_database(), settings=settings, script=SCRIPT
        )


@pytest_asyncio.fixture(loop_scope="session")
async def dial(exchange: Exchange, asterisk: Asterisk) -> AsyncIterator[Dial]:
    """`await dial("1001", "7001", answers_and_presses("1"))` calls 7001 from 1001."""
    callers: list[Caller] = []

    async def call(number: str, dials: str, behaviour: Behaviour) -> Caller:
        caller = Caller(number, dials, behaviour, exchange, asterisk)
        callers.append(caller)
        await caller.start()
        return caller

    yield call
    for caller in callers:
        await caller.stop()


async def words_heard(phone: Phone, *phrases: str) -> set[str]:
    """Which of these were said to it."""
    return await asyncio.to_thread(understood, phone.heard.samples(), phrases)


async def kept(practice: Practice, room: str) -> JSON:
    """The wake-up call of a room; of a daily one the first."""
    events = await practice.clinic.rest.results("event/?page_size=1000")
    own = [event for event in events if event["parent_event"] is None]
    found = [event for event in own if event["title"] == "Wake-up call"]
    rooms = {event["data"]["room"]: event for event in found}
    assert room in rooms, practice.serve.tail()
    return rooms[room]


async def test_who_rings_back_answers_as_if_called(
    practice: Practice, plug: Plug, dial: Dial, exchange: Exchange
) -> None:
    await plug("601", never_answers())
    alarm = await practice.clinic.appointment("601", maxretry=3, retry_delay=600)
    await practice.told(alarm, "retry")
    caller = await dial("601", CALLBACK, answers_and_presses("1", first_key=4.0))
    settled = await practice.settled(alarm)
    assert (settled["status"], settled["result"]) == (5, 1)
    await caller.until("hung up by network")
    assert caller.heard.seconds_heard() > 2
    words = await practice.words(alarm)
    assert words[words.index("called_back") :] == ["called_back", "key", "hung_up", "result"]
    assert len(exchange.calls_to("601")) == 1
    assert [call["inbound"] for call in await practice.clinic.calls(alarm)] == [False, True]


async def test_a_phone_that_rings_is_silenced_for_who_rings_back(
    practice: Practice, plug: Plug, dial: Dial
) -> None:
    setting = practice.clinic.setting
    await practice.clinic.rest.patch(setting, {"call_timeout": 120})
    phone = await plug("606", never_answers())
    alarm = await practice.clinic.appointment("606", maxretry=0)
    await phone.until("ringing")
    # On a slow machine the survey begins late: the caller presses on.
    keys = answers_and_presses("1" * 20, first_key=7.0, between=3.0)
    await dial("606", CALLBACK, keys)
    await phone.until("cancelled")
    await practice.clinic.rest.patch(setting, {"call_timeout": 6})
    settled = await practice.settled(alarm)
    told = await practice.clinic.timeline(alarm)
    log = practice.serve.tail(60)
    assert (settled["status"], settled["result"]) == (5, 1), f"{told}\n{log}"
    words = await practice.words(alarm)
    assert words.index("withdrawn") < words.index("called_back")


async def test_a_number_that_nothing_waits_for_is_told_so(practice: Practice, dial: Dial) -> None:
    caller = await dial("602", CALLBACK, answers_and_presses(""))
    await caller.until("hung up by network", 30)
    said = await words_heard(caller, "at the moment", "good morning", "to be called again")
    assert said == {"at the moment"}


async def test_a_guest_orders_a_wakeup_call_snoozes_it_and_gets_up(
    practice: Practice, plug: Plug, dial: Dial
) -> None:
    rest = practice.clinic.rest
    door = f"72{number_of(practice.clinic.calendar)}"
    # The time, once, keep it; each key cuts what is said.
    keys = answers_and_presses("0730" + "1" + "1", first_key=2.0, between=1.0)
    caller = await dial("611", door, keys)
    await caller.until("hung up by network", 60)
    event = await kept(practice, "611")
    assert "T07:30:00" in event["start"]
    alarm = await rest.get(f"{event['url']}get_list_alarm/")
    assert (await rest.get(alarm["url"]))["snooze_key"] == "2"
    call = Appointment(event["url"], alarm["url"], "611")
    await plug("611", answers_and_presses("2", first_key=3.0))
    now = datetime.now(UTC)
    moved = {"start": now.isoformat(), "end": (now + timedelta(hours=1)).isoformat()}
    await rest.patch(event["url"], moved)
    await practice.told(call, "snoozed", 40)
    snoozed = await rest.get(alarm["url"])
    assert (snoozed["status"], snoozed["result"], snoozed["status_reason"]) == (4, 0, "snoozed")
    await plug("611", answers_and_presses("1", first_key=3.0))
    (waiting,) = await rest.results(f"alarm-request/?alarm={number_of(alarm['url'])}&status=1")
    assert datetime.fromisoformat(waiting["date"]) > now + timedelta(minutes=9)
    await rest.patch(waiting["url"], {"date": datetime.now(UTC).isoformat()})
    settled = await practice.settled(call)
    assert (settled["status"], settled["result"], settled["num_attempt"]) == (5, 1, 2)


async def test_the_front_desk_is_told_of_a_wakeup_call_that_failed(
    practice: Practice, plug: Plug
) -> None:
    rest = practice.clinic.rest
    await rest.patch(practice.clinic.setting, {"failure_phonenumber": "690"})
    try:
        desk = await plug("690", answers_only())
        data = {"room": "613", "doc_name": "none", "apt_date": "never"}
        alarm = await practice.clinic.appointment("613", data=data, maxretry=0)
        assert (await practice.settled(alarm))["status"] == 3
        await desk.until("hung up by network", 40)
        # Of what the survey of the guests says there is nothing.
        assert await words_heard(desk, "room", "good morning", "to be called again") == {"room"}
        assert "desk_called" in await practice.words(alarm)
        (told,) = await rest.results("alarm/?alarm_phonenumber=690")
        assert (told["event"], told["about"]) == (alarm.event, alarm.alarm)
        assert (await practice.settled(Appointment(alarm.event, told["url"], "690")))["status"] == 5
    finally:
        await rest.patch(practice.clinic.setting, {"failure_phonenumber": None})


async def test_two_guests_and_an_operator_order_at_once(practice: Practice, dial: Dial) -> None:
    calendar = number_of(practice.clinic.calendar)
    # One guest hangs up right after the last key.
    hasty = Behaviour(keys="0615" + "1" + "1", first_key=2.0, between=1.0, hang_up=0.3)
    guests = [await dial("615", f"72{calendar}", hasty)]
    # The other keys a time that is none, and one with keys too few; then one for every day.
    keys = "2560" + "7#" + "0645" + "2" + "1"
    guests.append(
        await dial("616", f"72{calendar}", answers_and_presses(keys, first_key=2.0, between=1.2))
    )
    # The room, half past seven, in the evening, every day, keep it.
    keys = "412#" + "0730" + "2" + "2" + "1"
    operator = await dial("9", f"74{calendar}", answers_and_presses(keys, first_key=2.0))
    await guests[0].until("hung up by phone", 60)
    # A service that is to end lets the others finish.
    await practice.serve.restart()
    await guests[1].until("hung up by network", 60)
    await operator.until("hung up by network", 60)
    orders = (("615", "06:15", False), ("616", "06:45", True), ("412", "19:30", True))
    for room, clock, daily in orders:
        event = await kept(practice, room)
        assert (event["start"][11:16], event["rule"] is not None) == (clock, daily)
    assert event["end_recurring_period"] is None
    assert await practice.clinic.rest.results("alarm/?alarm_phonenumber=412")


@pytest.mark.long
async def test_a_service_that_dies_adopts_who_rang_back_and_leaves_no_guest_in_silence(
    practice: Practice, plug: Plug, dial: Dial
) -> None:
    alarm = await practice.clinic.appointment("603", maxretry=0)
    assert (await practice.settled(alarm))["status"] == 3
    caller = await dial("603", CALLBACK, answers_and_presses("3" * 9, first_key=9.0, between=3.0))
    # Of a guest who orders, nothing is written yet.
    guest = await dial("614", f"72{number_of(practice.clinic.calendar)}", answers_and_presses(""))
    await practice.told(alarm, "called_back")
    await guest.until("answered")
    await practice.serve.kill9()
    await practice.serve.start()
    settled = await practice.settled(alarm)
    assert (settled["status"], settled["result"]) == (5, 3)
    await caller.until("hung up by network")
    words = await practice.words(alarm)
    assert words[words.index("called_back") :][:3] == ["called_back", "adopted", "key"]
    await guest.until("hung up by network", 60)
    said = await words_heard(guest, "technical problem", "to be called again", "good morning")
    assert said == {"technical problem"}


async def test_a_dialplan_asks_and_confirms_by_fastagi(
    practice: Practice, dial: Dial, agi_port: int
) -> None:
    calendar = number_of(practice.clinic.calendar)
    nothing = await dial("604", f"73{agi_port}", answers_and_presses(""))
    alarm = await practice.clinic.appointment("604", maxretry=1, retry_delay=600)
    await practice.told(alarm, "failure", 30)
    caller = await dial("604", f"73{agi_port}", answers_and_presses(""))
    await caller.until("hung up by network")
    settled = await practice.clinic.alarm(alarm)
    assert (settled["status"], settled["result"]) == (5, 1)
    assert len(await practice.clinic.calls(alarm)) == 1
    assert await nothing.events() == []
    ordered = await dial("617", f"75{agi_port}{calendar}", answers_and_presses(""))
    await ordered.until("hung up by network", 30)
    event = await kept(practice, "617")
    assert ("T07:30:00" in event["start"], event["rule"] is None) == (True, False)
    # Four digits, read out.
    assert ordered.heard.seconds_heard() > 1


async def test_who_withholds_the_number_proves_it_by_a_pin(practice: Practice, dial: Dial) -> None:
    rest = practice.clinic.rest
    await rest.patch(practice.clinic.setting, {"callback_pin": True})
    try:
        alarm = await practice.clinic.appointment("605", data={"pin": "4711"}, maxretry=0)
        assert (await practice.settled(alarm))["status"] == 3
        # The number, a wrong PIN, the right one; then the survey's key, until it is taken.
        keys = "605#" + "1#" + "4711#" + "1" * 9
        await dial("anonymous", CALLBACK, answers_and_presses(keys, first_key=2.0, between=0.8))
        await practice.told(alarm, "called_back", 60)
        settled = await practice.settled(alarm)
        assert (settled["status"], settled["result"]) == (5, 1)
        assert "wrong_pin" in await practice.words(alarm)
    finally:
        await rest.patch(practice.clinic.setting, {"callback_pin": False})
