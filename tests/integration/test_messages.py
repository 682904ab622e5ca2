"""Alarms by SMS: the same rows and rules as calls, through a real HTTP gateway."""

import asyncio
from collections.abc import AsyncIterator
from datetime import time, timedelta
from typing import Any

import pytest
import pytest_asyncio

from telealarm.clock import utcnow
from telealarm.methods.sms.providers import http as http_kind
from telealarm.metrics import REGISTRY
from telealarm.models import (
    Alarm,
    AlarmRequest,
    DncContact,
    DncList,
    Event,
    SmsGateway,
    SmsTemplate,
)
from telealarm.store.alarms import alarms
from telealarm.store.calendars import events
from telealarm.store.dialing import workers
from telealarm.store.engine.database import Database
from telealarm.words import AlarmStatus, EventStatus, MessageStatus
from tests.integration.stages import HOUR
from tests.integration.texting import MORNING, Texting, at, open_texting
from tests.lab import sms_gateway as lab
from tests.lab.speed import limit
from tests.lab.waiting import until


@pytest_asyncio.fixture
async def texting(db: Database) -> AsyncIterator[Texting]:
    async with open_texting(db) as stages:
        yield stages


def unknown_count() -> float:
    return REGISTRY.get_sample_value("telealarm_messages_unknown_total") or 0.0


async def test_a_due_alarm_is_sent_once_and_is_a_success_when_the_gateway_took_it(
    texting: Texting,
) -> None:
    alarm_id = await texting.sms()
    assert await texting.claim() == []
    assert (await texting.status(alarm_id))[0] == AlarmStatus.IN_PROCESS
    await texting.sender.step()
    await texting.sender.settled()
    await texting.go()
    (sms,) = texting.gateway_server.messages
    assert (sms.to, sms.sender, sms.text) == ("600100", "Clinic", "Dear Ann, Visit")
    alarm = await texting.get(alarm_id)
    assert (alarm.status, alarm.num_attempt) == (AlarmStatus.SUCCESS, 1)
    assert (await texting.write(Event.get)).notify_count == 1
    message = await texting.message(alarm_id)
    assert (message.status, message.encoding, message.segments) == (MessageStatus.SENT, "GSM-7", 1)
    words = [what for what, _ in await texting.words(alarm_id)]
    assert words == ["due", "sms_sent", "result"]


async def test_a_text_that_is_too_long_is_cut_and_the_timeline_says_so(texting: Texting) -> None:
    change = SmsTemplate.update(sms_text="ж" * 600 + "{who}")
    await texting.write(change.execute)
    alarm_id = await texting.sms(data={"who": "ж" * 100})
    await texting.go()
    (sms,) = texting.gateway_server.messages
    assert sms.text == "ж" * 670
    message = await texting.message(alarm_id)
    assert (message.encoding, message.segments) == ("UCS-2", 10)
    told = dict(await texting.words(alarm_id))
    assert told["sms_cut"] == "the text needs 11 segments; 10 are sent"


@pytest.mark.long
async def test_a_gateway_down_for_an_hour_what_is_wanted_is_sent_once_and_the_rest_is_missed(
    texting: Texting,
) -> None:
    await texting.gateway_server.stop()
    late = await texting.sms("600001", start=MORNING - HOUR / 2, phonenumber_sms_failure="600999")
    wanted = [await texting.sms(f"6001{n:02}", start=MORNING) for n in range(5)]
    later = MORNING
    for _ in range(30):
        with at(later):
            await texting.go()
        later += timedelta(minutes=2)
    assert texting.gateway_server.messages == []
    assert await texting.status(late) == (AlarmStatus.MISSED, "late")
    await texting.write(lambda: Event.update(end=MORNING + 3 * HOUR).execute())
    await texting.gateway_server.start()
    for _ in range(4):
        with at(later):
            await texting.go()
        later += timedelta(minutes=2)
    took = [sms.to for sms in texting.gateway_server.messages]
    assert sorted(took) == ["600100", "600101", "600102", "600103", "600104", "600999"]
    for alarm_id in wanted:
        alarm = await texting.get(alarm_id)
        assert (alarm.status, alarm.num_attempt) == (AlarmStatus.SUCCESS, 1)
        assert len({sms.id for sms in texting.gateway_server.messages}) == 6


async def test_what_the_gateway_refuses_is_final_and_told_in_its_words(texting: Texting) -> None:
    texting.gateway_server.mood = "refuse"
    alarm_id = await texting.sms(maxretry=3, phonenumber_sms_failure="600999")
    await texting.go()
    await texting.go()
    assert await texting.status(alarm_id) == (AlarmStatus.FAILURE, "refused")
    said = [why for what, why in await texting.words(alarm_id) if what == "sms_failed"]
    assert "no such number" in said[0]
    assert texting.gateway_server.requests == 2  # the alarm, and the SMS that tells of it


async def test_taken_or_not_is_unknown_and_sent_again_by_the_alarms_policy_with_the_same_id(
    texting: Texting,
) -> None:
    before = unknown_count()
    texting.gateway_server.mood = "swallow"
    miss = await texting.sms("600001", maxretry=1, on_unknown="miss")
    none_left = await texting.sms("600002", maxretry=0)
    redial = await texting.sms("600003", maxretry=1, retry_delay=60)
    await texting.go()
    assert unknown_count() == before + 3
    assert await texting.status(miss) == (AlarmStatus.FAILURE, "unknown")
    assert await texting.status(none_left) == (AlarmStatus.FAILURE, "unknown")
    assert await texting.status(redial) == (AlarmStatus.RETRY, "unknown")
    assert (await texting.message(redial)).status == MessageStatus.UNKNOWN
    texting.gateway_server.mood = "accept"
    with at(MORNING + timedelta(seconds=61)):
        await texting.go()
    alarm = await texting.get(redial)
    assert (alarm.status, alarm.num_attempt) == (AlarmStatus.SUCCESS, 2)
    first, second = texting.gateway_server.sent_to("600003")
    assert first.id == second.id
    assert {"sms_unknown", "redial"} <= {what for what, _ in await texting.words(redial)}


async def test_a_claimed_message_that_a_crash_left_has_an_unknown_fate(
    db: Database, texting: Texting
) -> None:
    alarm_id = await texting.sms(maxretry=1)
    texting.gateway_server.delay = 30.0
    await texting.claim()
    await texting.sender.step()
    await until(lambda: texting.gateway_server.requests == 1, 30, "the gateway is asked")
    for task in asyncio.all_tasks():
        if task.get_name().startswith("message-"):
            task.cancel()  # the process is gone
    await texting.sender.settled()
    assert (await texting.message(alarm_id)).status == MessageStatus.SENDING
    with at(MORNING + timedelta(seconds=31)):
        two = await db.write(workers.enter, "two", utcnow(), timedelta(seconds=30))
        lapsed = await db.read(workers.leases, two)
        await db.write(workers.take_over, two, lapsed)
    assert await texting.status(alarm_id) == (AlarmStatus.RETRY, "unknown")


async def test_a_gateway_that_hangs_holds_up_nobody_else(
    texting: Texting, monkeypatch: Any
) -> None:
    monkeypatch.setattr(http_kind, "TIMEOUT_SECONDS", limit(20))
    texting.gateway_server.mood = "hang"
    other = lab.SmsGateway()
    await other.start()

    def second() -> Any:
        gateway = SmsGateway.create(name="other", settings={"url": other.url})
        setting = type(texting.setting).get_by_id(texting.setting.id)
        setting.id, setting.sms_gateway, setting.label = None, gateway, "other"
        setting.save(force_insert=True)
        return texting.new_calendar("other", setting)

    calendar = await texting.write(second)
    for number in range(60):
        await texting.sms(f"6001{number:02}")
    healthy = await texting.sms("700100", calendar=calendar)
    for _ in range(3):
        await texting.claim()
        await texting.sender.step()
    await until(lambda: other.messages, 30, "the other gateway's message is sent")
    await until(lambda: texting.gateway_server.at_once == 4, 30, "four hang")
    assert texting.gateway_server.most_at_once == 4
    waiting = AlarmRequest.select().where(AlarmRequest.status == AlarmStatus.PENDING)
    assert await texting.write(waiting.count) == 40
    texting.gateway_server.mood = "accept"
    await texting.gateway_server.stop()
    await texting.sender.settled()
    assert (await texting.status(healthy))[0] == AlarmStatus.SUCCESS
    await other.stop()


async def test_the_pace_of_a_gateway_is_kept(texting: Texting) -> None:
    await texting.write(lambda: SmsGateway.update(messages_per_second=2).execute())
    for number in range(5):
        await texting.sms(f"60010{number}")
    counts = []
    for tick in range(12):
        with at(MORNING + timedelta(seconds=tick / 4)):
            await texting.go()
        counts.append(len(texting.gateway_server.messages))
    assert counts == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5, 5]


# The same rules as calls


async def test_calling_hours_and_do_not_call_hold_for_sms(texting: Texting) -> None:
    early = await texting.sms("600001", daily_start=time(11), max_lateness=86400)
    listed = await texting.sms("600002")

    def opt_out() -> None:
        dnc = DncList.create(owner=texting.calendar.owner_id, name="d")
        DncContact.create(dnc=dnc, phone_number="600002")

    await texting.write(opt_out)
    await texting.go()
    assert texting.gateway_server.messages == []
    assert await texting.status(listed) == (AlarmStatus.FAILURE, "do_not_call")
    with at(MORNING + 2 * HOUR):
        await texting.go()
    assert [sms.to for sms in texting.gateway_server.messages] == ["600001"]
    assert (await texting.status(early))[0] == AlarmStatus.SUCCESS


async def test_called_off_in_the_outbox_nothing_is_sent(texting: Texting) -> None:
    cancelled, paused, moved, edited = [await texting.sms(f"60010{n}") for n in range(4)]
    await texting.claim()

    def change() -> None:
        alarms.cancel([Alarm.get_by_id(cancelled)], "cancelled", utcnow())
        events.set_status(Alarm.get_by_id(paused).event, EventStatus.PAUSED, utcnow())
        week = timedelta(days=7)
        times = {"start": MORNING + week, "end": MORNING + week + HOUR}
        events.change(Alarm.get_by_id(moved).event, times, utcnow())
        Alarm.update(alarm_phonenumber="600200").where(Alarm.id == edited).execute()

    await texting.write(change)
    await texting.sender.step()
    await texting.sender.settled()
    assert texting.gateway_server.messages == []
    assert (await texting.status(cancelled))[0] == AlarmStatus.CANCELLED
    assert (await texting.status(paused))[0] == AlarmStatus.PENDING
    assert (await texting.status(moved))[0] == AlarmStatus.PENDING
    await texting.go()
    assert [sms.to for sms in texting.gateway_server.messages] == ["600200"]
    with at(MORNING + timedelta(days=7)):
        await texting.go()
    assert [sms.to for sms in texting.gateway_server.messages] == ["600200", "600102"]


async def test_calls_and_sms_of_one_calendar_do_not_take_each_others_room(
    texting: Texting,
) -> None:
    full = await texting.write(texting.new_calendar, "capped", texting.setting, max_concurrent=1)
    await texting.alarm("600100", calendar=full)
    await texting.alarm("600101", calendar=full)
    sms = await texting.sms("600100", calendar=full)
    calls = await texting.claim()
    await texting.sender.step()
    await texting.sender.settled()
    assert [call.number for call in calls] == ["600100"]
    assert (await texting.status(sms))[0] == AlarmStatus.SUCCESS


async def test_a_setting_without_an_sms_gateway_fails_the_alarm_with_its_reason(
    texting: Texting,
) -> None:
    await texting.write(lambda: type(texting.setting).update(sms_gateway=None).execute())
    alarm_id = await texting.sms()
    await texting.go()
    assert await texting.status(alarm_id) == (AlarmStatus.FAILURE, "no_sms_gateway")
