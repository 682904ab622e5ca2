"""SMS beside calls on one event, the answers to either, and the SMS with the bad news."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from telealarm.clock import utcnow
from telealarm.models import Alarm, Section, SmsGateway
from telealarm.sections.sms import Sms
from telealarm.store.alarms import alarms
from telealarm.store.engine.database import Database
from telealarm.store.messaging import replies
from telealarm.store.survey import section_effects
from telealarm.words import AlarmStatus, Disposition
from tests.integration.stages import HOUR
from tests.integration.texting import MORNING, Texting, at, open_texting

MINUTE = timedelta(minutes=1)
CALL, SMS, EMAIL = 1, 2, 3  # the numbers of the methods


@pytest_asyncio.fixture
async def texting(db: Database) -> AsyncIterator[Texting]:
    async with open_texting(db) as stages:
        yield stages


async def beside(texting: Texting, alarm_id: int, **columns: Any) -> int:
    """Another alarm of the same event."""

    def write() -> int:
        event = Alarm.get_by_id(alarm_id).event
        made = Alarm.create(owner=event.owner_id, event=event, **columns)
        alarms.schedule(made, event)
        other_id: int = made.id
        return other_id

    found: int = await texting.write(write)
    return found


async def reply(texting: Texting, sender: str, text: str) -> str:
    def write() -> str:
        gateway = SmsGateway.get()
        return replies.reply(gateway, "", sender, text, texting.composer, utcnow())

    outcome: str = await texting.write(write)
    return outcome


async def test_a_key_on_the_phone_calls_off_the_sms_and_the_mail_that_wait(
    texting: Texting,
) -> None:
    call_alarm = await texting.alarm("600100")
    outbox = await beside(texting, call_alarm, alarm_phonenumber="600101", method=SMS)
    later = {"offset": 600, "alarm_phonenumber": "600102", "alarm_email": "a@example.com"}
    sms = await beside(texting, call_alarm, method=SMS, **later)
    mail = await beside(texting, call_alarm, method=EMAIL, **later)
    (call,) = await texting.claim()
    await texting.place(call)
    await texting.end(call, Disposition.ANSWER, 16, key="2")
    await texting.go()
    with at(MORNING + 11 * MINUTE):
        await texting.go()
    assert texting.gateway_server.requests == 0
    alarm = await texting.get(call_alarm)
    assert (alarm.status, alarm.result) == (AlarmStatus.SUCCESS, 2)
    for other in (outbox, sms, mail):
        assert await texting.status(other) == (AlarmStatus.CANCELLED, "settled")


async def test_a_reply_calls_off_the_call_and_the_mail_that_wait(texting: Texting) -> None:
    sms = await texting.sms("+34600100200")
    call_alarm = await beside(texting, sms, alarm_phonenumber="600101", offset=600)
    mail = await beside(texting, sms, alarm_email="a@example.com", offset=600, method=EMAIL)
    await texting.go()
    assert await reply(texting, "600100200", "yes") == "taken"
    with at(MORNING + 11 * MINUTE):
        assert await texting.claim() == []
    for other in (call_alarm, mail):
        assert await texting.status(other) == (AlarmStatus.CANCELLED, "settled")
    assert (await texting.get(sms)).result == 1


async def test_a_calendar_setting_that_does_not_settle_leaves_the_others_alone(
    texting: Texting,
) -> None:
    await texting.write(lambda: type(texting.setting).update(settle=False).execute())
    sms = await texting.sms("+34600100200")
    call_alarm = await beside(texting, sms, alarm_phonenumber="600101", offset=600)
    await texting.go()
    assert await reply(texting, "600100200", "yes") == "taken"
    with at(MORNING + 11 * MINUTE):
        assert [call.alarm_id for call in await texting.claim()] == [call_alarm]


async def test_an_sms_that_the_call_had_sent_can_be_answered_too(texting: Texting) -> None:
    alarm_id = await texting.alarm("+34600100200")
    (call,) = await texting.claim()
    await texting.place(call)
    section = await texting.write(Section.create, survey=texting.survey, order=2, type=Sms.number)
    await texting.write(section_effects.send, call, section.id, "Reply 1 to confirm.", utcnow())
    await texting.end(call, Disposition.ANSWER, 16)
    await texting.go()
    assert [sms.text for sms in texting.gateway_server.messages] == ["Reply 1 to confirm."]
    assert await reply(texting, "600100200", "1") == "taken"
    alarm = await texting.get(alarm_id)
    assert (alarm.status, alarm.result) == (AlarmStatus.SUCCESS, 1)


async def test_an_answer_that_is_quicker_than_the_gateways_counts(texting: Texting) -> None:
    sms = await texting.sms("+34600100200")
    call_alarm = await beside(texting, sms, alarm_phonenumber="600101", offset=600)
    outcomes = []

    async def at_once(_: str) -> None:
        texting.gateway_server.told = None
        outcomes.append(await reply(texting, "+34600100200", "2"))

    texting.gateway_server.told = at_once
    await texting.go()
    assert outcomes == ["taken"]
    alarm = await texting.get(sms)
    assert (alarm.status, alarm.result) == (AlarmStatus.SUCCESS, 2)
    assert await texting.status(call_alarm) == (AlarmStatus.CANCELLED, "settled")
    await texting.go()
    assert [one.text[:9] for one in texting.gateway_server.messages] == ["Dear Ann,", "Cancelled"]


# The bad news


TEXT = "{alarm_phonenumber} ({room}) {num_attempt}x: {title}{nothing}"


@pytest.mark.parametrize("method", [CALL, SMS])
async def test_failed_or_missed_it_is_told_in_the_words_of_the_events_data(
    texting: Texting, method: int
) -> None:
    own = {"data": {"sms_failure": TEXT, "room": "105 €"}, "phonenumber_sms_failure": "600999"}
    texting.gateway_server.mood = "refuse" if method == SMS else "accept"
    failed = await texting.alarm("600001", method=method, **own)
    calls = await texting.claim()
    for call in calls:
        await texting.place(call)
        await texting.end(call, Disposition.BUSY, 17)
    await texting.sender.step()
    await texting.sender.settled()
    texting.gateway_server.mood = "accept"
    missed = await texting.alarm("600002", method=method, start=MORNING - 2 * HOUR, **own)
    await texting.go()
    await texting.go()
    assert (await texting.get(failed)).status == AlarmStatus.FAILURE
    assert (await texting.get(missed)).status == AlarmStatus.MISSED
    told = [sms.text for sms in texting.gateway_server.sent_to("600999")]
    assert sorted(told) == ["600001 (105 €) 1x: Visit", "600002 (105 €) 0x: Visit"]
