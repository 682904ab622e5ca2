"""The failover gateway, on both databases: when it is used, and where a chain ends."""

import pytest_asyncio

from telealarm.clock import utcnow
from telealarm.models import AlarmRequest, CallRequest, Event, Gateway
from telealarm.store.calendars import events
from telealarm.store.dialing import call_progress
from telealarm.store.dialing.calls import Call
from telealarm.store.engine.database import Database
from telealarm.words import AlarmStatus, Disposition, EventStatus
from tests.integration.api_client import Api
from tests.integration.stages import Stages


@pytest_asyncio.fixture
async def stages(db: Database) -> Stages:
    """The gateway `main`, and behind it `second` and `third`."""
    built = await Stages.build(db)

    def write() -> None:
        third = Gateway.create(name="third", gateways="PJSIP/{number}@third", extensions=True)
        second = Gateway.create(
            name="second", gateways="PJSIP/{number}@second", failover=third, extensions=True
        )
        Gateway.update(failover=second).where(Gateway.id == built.gateway.id).execute()

    await built.write(write)
    return built


async def congest(stages: Stages, call: Call) -> None:
    await stages.place(call)
    await stages.end(call, Disposition.CONGESTION, 34)


async def test_a_congested_call_goes_on_by_the_failover_at_once_and_uses_up_no_retry(
    stages: Stages,
) -> None:
    alarm_id = await stages.alarm(maxretry=0)
    endpoints = []
    for _ in range(2):
        (call,) = await stages.claim()
        endpoints.append(call.endpoint)
        await congest(stages, call)
    (call,) = await stages.claim()
    assert [*endpoints, call.endpoint] == [
        "PJSIP/100@trunk",
        "PJSIP/100@second",
        "PJSIP/100@third",
    ]
    await stages.place(call)
    await stages.end(call, Disposition.ANSWER, 16, key="1")
    alarm = await stages.get(alarm_id)
    assert (alarm.status, alarm.result, alarm.num_attempt) == (AlarmStatus.SUCCESS, 1, 1)
    assert (await stages.write(lambda: alarm.event.notify_count)) == 1
    told = [why for what, why in await stages.words(alarm_id) if what == "failover"]
    assert told == [
        "gateway main is congested; at once by second",
        "gateway second is congested; at once by third",
    ]

    def used() -> list[str]:
        return [row.gateway.name for row in CallRequest.select().order_by(CallRequest.id)]

    assert await stages.write(used) == ["main", "second", "third"]


async def test_where_every_gateway_is_congested_the_alarms_own_retries_follow(
    stages: Stages,
) -> None:
    alarm_id = await stages.alarm(maxretry=1, retry_delay=0)
    for _ in range(6):
        (call,) = await stages.claim()
        await congest(stages, call)
    assert await stages.claim() == []
    alarm = await stages.get(alarm_id)
    assert (alarm.status, alarm.status_reason) == (AlarmStatus.FAILURE, "congestion")
    assert alarm.num_attempt == 2


async def test_a_gateway_that_leads_nowhere_is_passed_over(stages: Stages) -> None:
    await stages.alarm()
    (call,) = await stages.claim()
    await stages.place(call)
    await stages.write(
        call_progress.end,
        call,
        call_progress.End(
            disposition=Disposition.FAILED,
            cause=0,
            why="Allocation failed",
            at=utcnow(),
            finished=False,
            refused=True,
        ),
    )
    await stages.settler.step()
    (call,) = await stages.claim()
    assert call.endpoint == "PJSIP/100@second"


async def test_a_busy_callee_is_busy_by_every_gateway(stages: Stages) -> None:
    await stages.alarm(maxretry=0)
    (call,) = await stages.claim()
    await stages.place(call)
    await stages.end(call, Disposition.BUSY, 17)
    assert await stages.claim() == []


async def test_gateways_that_are_inactive_or_do_not_take_the_number_are_left_out(
    stages: Stages,
) -> None:
    await stages.write(
        lambda: (
            Gateway.update(status=0).where(Gateway.name == "main").execute()
            and Gateway.update(allowed_prefixes=["+34"]).where(Gateway.name == "second").execute()
        )
    )
    alarm_id = await stages.alarm()
    (call,) = await stages.claim()
    assert call.endpoint == "PJSIP/100@third"
    assert ("failover", "gateway main is inactive; by third") in await stages.words(alarm_id)


async def test_a_circle_that_was_made_behind_our_back_comes_to_an_end(stages: Stages) -> None:
    await stages.write(
        lambda: Gateway.update(failover=stages.gateway).where(Gateway.name == "third").execute()
    )
    await stages.alarm(maxretry=0)
    for _ in range(3):
        (call,) = await stages.claim()
        await congest(stages, call)
    assert await stages.claim() == []


async def test_paused_before_it_goes_on_nobody_is_rung(stages: Stages) -> None:
    alarm_id = await stages.alarm()
    (call,) = await stages.claim()
    await congest(stages, call)
    waiting = await stages.write(AlarmRequest.get, AlarmRequest.status == AlarmStatus.PENDING)
    assert waiting.alarm_id == alarm_id
    await stages.write(lambda: events.set_status(Event.get(), EventStatus.PAUSED, utcnow()))
    assert await stages.claim() == []


async def test_a_chain_that_leads_back_is_refused_when_it_is_written(api: Api) -> None:
    made: list[str] = []
    for name in ("one", "two", "three"):
        body = {"name": name, "gateways": "PJSIP/{number}@trunk"}
        if made:
            body["failover"] = made[-1]
        made.append((await api.made("gateway/", body, user="root"))["url"])
    first, second, third = (f"gateway/{url.rstrip('/').split('/')[-1]}/" for url in made)
    for path, failover in ((first, third), (first, second), (first, first)):
        reply = await api.patch(path, {"failover": f"/rest-api/{failover}"}, user="root")
        assert reply.status == 400
        assert "must not lead back" in reply.body["failover"][0]
    reply = await api.patch(third, {"failover": f"/rest-api/{first}"}, user="root")
    assert reply.status == 200
