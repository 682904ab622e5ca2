"""What a trunk that is down does to the calls that would go out by it, with the clock turned."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
import time_machine

from telealarm.clock import utcnow
from telealarm.models import Gateway
from telealarm.rules import phone
from telealarm.store.dialing import trunks
from telealarm.store.engine.database import Database
from telealarm.words import AlarmStatus
from tests.integration.api_client import Api, gateways
from tests.integration.stages import HOUR, Stages

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
UP, DOWN, UNKNOWN = ("up", ""), ("down", "its contact is unreachable"), ("unknown", "")


def at(moment: datetime) -> time_machine.travel:
    return time_machine.travel(moment, tick=False)


@pytest_asyncio.fixture
async def stages(db: Database) -> AsyncIterator[Stages]:
    with at(MORNING):
        yield await Stages.build(db)


async def trunk_is(stages: Stages, state: tuple[str, str], worker: str = "one") -> None:
    await stages.write(trunks.keep, worker, {"trunk": state}, utcnow())


async def test_its_calls_wait_told_once_and_go_at_once_when_it_is_back(stages: Stages) -> None:
    await trunk_is(stages, DOWN)
    alarm_id = await stages.alarm("1")
    for minute in range(10):
        with at(MORNING + timedelta(minutes=minute)):
            assert await stages.claim() == []
    deferred = [why for what, why in await stages.words(alarm_id) if what == "deferred"]
    assert deferred == [
        "trunk trunk is down (its contact is unreachable); looked at again at"
        " 2026-03-02T09:00:30+00:00"
    ]
    with at(MORNING + timedelta(minutes=9, seconds=1)):
        await trunk_is(stages, UP)
        (call,) = await stages.claim()
        assert call.alarm_id == alarm_id
    alarm = await stages.get(alarm_id)
    assert alarm.num_attempt == 0


async def test_who_waits_for_it_too_long_is_missed(stages: Stages) -> None:
    await trunk_is(stages, DOWN)
    alarm_id = await stages.alarm("1")
    assert await stages.claim() == []
    with at(MORNING + HOUR):
        assert await stages.claim() == []
        alarm = await stages.get(alarm_id)
        assert (alarm.status, alarm.status_reason) == (AlarmStatus.MISSED, "late")


@pytest.mark.parametrize("state", [UP, UNKNOWN])
async def test_one_that_is_up_or_not_known_holds_nobody(
    stages: Stages, state: tuple[str, str]
) -> None:
    await trunk_is(stages, state)
    await stages.alarm("1")
    assert len(await stages.claim()) == 1


async def test_another_trunk_or_another_workers_asterisk_holds_nobody(stages: Stages) -> None:
    await trunk_is(stages, DOWN, worker="two")
    await stages.write(trunks.keep, "one", {"other": DOWN}, utcnow())
    await stages.alarm("1")
    assert len(await stages.claim()) == 1


async def test_a_worker_that_watches_no_more_lets_go(stages: Stages) -> None:
    await trunk_is(stages, DOWN)
    await stages.alarm("1")
    assert await stages.claim() == []
    await stages.write(trunks.keep, "one", {}, utcnow())
    assert len(await stages.claim()) == 1


async def test_a_gateway_says_how_its_trunk_is(api: Api) -> None:
    link, _ = await gateways(api)

    async def says(*states: tuple[str, str]) -> str:
        for number, state in enumerate(states):
            await api.db.write(trunks.keep, f"worker {number}", {"trunk": state}, utcnow())
        found: str = (await api.get(link)).body["trunk_state"]
        return found

    assert await says() == "unknown"
    assert await says(DOWN) == "down"
    assert await says(DOWN, UNKNOWN) == "unknown"
    assert await says(DOWN, UP) == "up"
    shown = (await api.get(link)).body
    assert (await api.put(link, {**shown, "trunk_state": "down"}, user="root")).status == 200
    assert await api.db.write(lambda: Gateway.get().gateways) == "PJSIP/{number}@trunk"


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("PJSIP/{number}@trunk", "trunk"),
        ("PJSIP/trunk/sip:{number}@example.com:5060", "trunk"),
        ("PJSIP/{number}", "{number}"),
    ],
)
def test_the_trunk_of_a_dial_template(template: str, name: str) -> None:
    assert phone.trunk(template) == name
