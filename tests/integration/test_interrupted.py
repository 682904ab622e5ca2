"""An answered call that was cut off is placed again at no cost, thrice at most, and then told."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest_asyncio
import time_machine

from telealarm.models import AlarmRequest, Message
from telealarm.store.dialing.calls import Call
from telealarm.store.engine import time_zones
from telealarm.store.engine.database import Database
from telealarm.words import AlarmStatus, Disposition
from tests.integration.stages import Stages

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SOON = timedelta(seconds=30)


@pytest_asyncio.fixture
async def stages(db: Database) -> AsyncIterator[Stages]:
    time_zones.configure(db.peewee, "UTC")
    with time_machine.travel(MORNING, tick=False):
        yield await Stages.build(db)


async def placed(stages: Stages) -> Call:
    (call,) = await stages.claim()
    assert await stages.place(call)
    return call


async def test_cut_off_four_times_it_fails_and_is_told(stages: Stages) -> None:
    alarm_id = await stages.alarm("1", maxretry=0, phonenumber_sms_failure="600")
    moment, waits = MORNING, [timedelta(0), SOON, SOON]
    for wait in waits:
        with time_machine.travel(moment, tick=False):
            await stages.end(await placed(stages), Disposition.ANSWER, 0, finished=False)
            alarm = await stages.get(alarm_id)
            assert (alarm.status, alarm.status_reason) == (AlarmStatus.RETRY, "interrupted")
            request = await stages.write(
                AlarmRequest.get, AlarmRequest.status == AlarmStatus.PENDING
            )
            assert request.date == moment + wait
        moment += wait
    with time_machine.travel(moment, tick=False):
        await stages.end(await placed(stages), Disposition.ANSWER, 0, finished=False)
        alarm = await stages.get(alarm_id)
        assert (alarm.status, alarm.status_reason) == (AlarmStatus.FAILURE, "interrupted")
        assert alarm.num_attempt == 4
        assert (await stages.write(Message.get, Message.alarm == alarm_id)).recipient == "600"


async def test_it_uses_up_none_of_the_retries(stages: Stages) -> None:
    alarm_id = await stages.alarm("1", maxretry=1, retry_delay=0)
    await stages.end(await placed(stages), Disposition.ANSWER, 0, finished=False)
    await stages.end(await placed(stages), Disposition.BUSY)
    assert (await stages.get(alarm_id)).status == AlarmStatus.RETRY
    await stages.end(await placed(stages), Disposition.BUSY)
    alarm = await stages.get(alarm_id)
    assert (alarm.status, alarm.status_reason) == (AlarmStatus.FAILURE, "busy")


async def test_a_key_that_was_saved_counts(stages: Stages) -> None:
    alarm_id = await stages.alarm("1", require_result=True)
    await stages.end(await placed(stages), Disposition.ANSWER, 0, key="2", finished=False)
    alarm = await stages.get(alarm_id)
    assert (alarm.status, alarm.result) == (AlarmStatus.SUCCESS, 2)
