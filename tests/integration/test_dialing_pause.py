"""Dialing is stopped and let go on: nothing is placed or lost, and the timeline says so."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from telealarm.clock import utcnow
from telealarm.models import AlarmRequest, CalendarSetting, Gateway
from telealarm.store.dialing import pauses
from telealarm.store.engine.database import Database
from telealarm.words import AlarmStatus
from tests.integration.api_client import Api, clinic, gateways, id_of
from tests.integration.stages import HOUR, Stages
from tests.lab.speed import limit


@pytest.fixture
async def stages(db: Database) -> Stages:
    return await Stages.build(db)


async def words(stages: Stages, alarm: int) -> list[str]:
    return [what for what, _ in await stages.words(alarm)]


async def pause(stages: Stages, gateway: Gateway | None = None) -> None:
    await stages.write(pauses.pause, gateway, utcnow())


async def resume(stages: Stages, gateway: Gateway | None = None) -> None:
    await stages.write(pauses.resume, gateway, utcnow())


async def test_what_is_due_is_held_and_released_once_and_goes_at_once(stages: Stages) -> None:
    await pause(stages)
    alarm = await stages.alarm()
    for _ in range(3):
        assert await stages.claim() == []
    assert await stages.words(alarm) == [("due", ""), ("held", "dialing is paused")]
    woken = stages.db.stage("dialing")
    woken.clear()
    await resume(stages)
    await asyncio.wait_for(woken.wait(), limit(30))
    (call,) = await stages.claim()
    assert call.alarm_id == alarm
    assert await words(stages, alarm) == ["due", "held", "released"]
    # A second pause has its own words.
    again = await stages.alarm("101")
    await pause(stages)
    await stages.claim()
    await resume(stages)
    await pause(stages)
    await stages.claim()
    assert await words(stages, again) == ["due", "held", "released", "held"]


async def test_a_call_that_was_claimed_before_the_pause_is_not_placed(stages: Stages) -> None:
    alarm = await stages.alarm()
    (call,) = await stages.claim()
    await pause(stages)
    assert not await stages.place(call)
    assert await stages.claim() == []
    assert (await stages.get(alarm)).num_attempt == 0
    await resume(stages)
    (call,) = await stages.claim()
    assert await stages.place(call)
    assert await words(stages, alarm) == ["due", "put_back", "held", "released", "originate"]


async def test_one_gateway_stands_still_and_the_others_go_on(stages: Stages) -> None:
    def second() -> Any:
        other = Gateway.create(name="other", gateways="PJSIP/{number}@other", extensions=True)
        columns = {"owner": stages.setting.owner_id, "label": "o", "survey": stages.survey}
        setting = CalendarSetting.create(aleg_gateway=other, **columns)
        return other, stages.new_calendar("o", setting)

    other, calendar = await stages.write(second)
    await pause(stages, stages.gateway)
    held = await stages.alarm("100")
    goes = await stages.alarm("200", calendar=calendar)
    assert [call.alarm_id for call in await stages.claim()] == [goes]
    assert await stages.claim() == []
    assert await stages.words(held) == [("due", ""), ("held", "gateway main is paused")]
    # What one pause holds, the end of another does not release.
    await pause(stages)
    await pause(stages, other)
    await resume(stages, other)
    assert await stages.claim() == []
    await resume(stages)
    assert await stages.claim() == []
    assert await words(stages, held) == ["due", "held"]
    await resume(stages, stages.gateway)
    assert [call.alarm_id for call in await stages.claim()] == [held]


async def test_what_waits_too_long_is_missed_and_told(stages: Stages) -> None:
    await pause(stages)
    alarm = await stages.alarm(
        start=utcnow() - timedelta(seconds=5), max_lateness=0, phonenumber_sms_failure="600"
    )
    await stages.planner.step()
    await stages.planner.step()
    found = await stages.get(alarm)
    assert (found.status, found.status_reason) == (AlarmStatus.MISSED, "late")
    assert (await words(stages, alarm))[-2:] == ["missed", "sms_queued"]
    await resume(stages)
    assert await stages.claim() == []


async def test_what_comes_later_is_not_held_before_it_is_due(stages: Stages) -> None:
    await pause(stages)
    alarm = await stages.alarm(start=utcnow() + HOUR)
    assert await stages.claim() == []
    assert await stages.words(alarm) == []


async def test_superusers_pause_and_resume_by_the_api(api: Api) -> None:
    made = await clinic(api)
    quiet = {"paused": False, "since": None, "gateways": [], "waiting": 0}
    assert (await api.get("dialing/", user="root")).body == quiet
    state = (await api.post("dialing/pause/", user="root")).body
    assert (state["paused"], state["gateways"]) == (True, [])
    # Once more changes nothing, a key makes a retry safe, and one gateway is a pause of its own.
    assert (await api.post("dialing/pause/", {"gateway": None}, user="root")).body == state
    sent = {"gateway": made.gateway}
    reply = await api.post("dialing/pause/", sent, user="root", headers={"Idempotency-Key": "k"})
    assert reply.status == 200
    (stopped,) = reply.body["gateways"]
    assert (stopped["url"], stopped["name"]) == (made.gateway, "trunk")
    again = await api.post("dialing/pause/", sent, user="root", headers={"Idempotency-Key": "k"})
    assert again.headers["Idempotent-Replayed"] == "true"
    reply = await api.post("dialing/resume/", user="root")
    assert (reply.body["paused"], reply.body["gateways"]) == (False, [stopped])
    reply = await api.post("dialing/resume/", {"gateway": id_of(made.gateway)}, user="root")
    assert reply.body == quiet


async def test_managers_do_not_pause_and_what_is_wrong_is_named(api: Api) -> None:
    await gateways(api)
    for method, path in (
        ("GET", "dialing/"),
        ("POST", "dialing/pause/"),
        ("POST", "dialing/resume/"),
    ):
        assert (await api.send(method, path)).status == 403
        assert (await api.send(method, path, user=None)).status == 401
    reply = await api.post("dialing/pause/", {"gateway": 99, "until": "noon"}, user="root")
    assert reply.status == 400
    assert reply.body["gateway"] == ["gateway 99 does not exist"]
    assert "no such field" in reply.body["until"][0]
    reply = await api.get("dialing/pause/", user="root")
    assert (reply.status, reply.headers["Allow"]) == (405, "POST, OPTIONS")
    assert (await api.get("dialing/", user="root")).body["paused"] is False


async def test_the_attempt_says_why_it_waits(stages: Stages) -> None:
    await pause(stages)
    alarm = await stages.alarm()
    await stages.claim()

    def request() -> AlarmRequest:
        return AlarmRequest.get(AlarmRequest.alarm == alarm)

    waiting = await stages.write(request)
    assert (waiting.status, waiting.status_reason) == (AlarmStatus.PENDING, "dialing_paused")
    assert await stages.write(pauses.waiting) == 1
    await resume(stages)
    assert (await stages.write(request)).status_reason == ""
    assert await stages.write(pauses.waiting) == 0


async def test_no_call_fails_over_to_a_paused_gateway(stages: Stages) -> None:
    def second() -> Gateway:
        other = Gateway.create(
            name="other", gateways="PJSIP/{number}@other", paused=utcnow(), extensions=True
        )
        Gateway.update(status=0, failover=other).where(Gateway.id == stages.gateway.id).execute()
        return other

    other = await stages.write(second)
    alarm = await stages.alarm()
    assert await stages.claim() == []
    assert "put_back" not in await words(stages, alarm)
    await resume(stages, other)
    later = await stages.alarm("101")
    assert [call.alarm_id for call in await stages.claim()] == [later]
