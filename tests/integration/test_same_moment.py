"""Two alarms of one event for one recipient at one moment: one call, and both end alike."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
import time_machine

from telealarm.clock import utcnow
from telealarm.models import Alarm, Event, Message, Survey, User
from telealarm.store.alarms import alarms, same_moment
from telealarm.store.dialing import call_back, workers
from telealarm.store.dialing.admission import Admission
from telealarm.store.dry_run import dry_run
from telealarm.store.engine import time_zones
from telealarm.store.engine.database import Database
from telealarm.words import AlarmStatus, Disposition
from tests.integration.stages import HOUR, Stages

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest_asyncio.fixture
async def stages(db: Database) -> AsyncIterator[Stages]:
    time_zones.configure(db.peewee, "UTC")
    with time_machine.travel(MORNING, tick=False):
        yield await Stages.build(db)


async def another(stages: Stages, first: int, number: str = "1", **columns: Any) -> int:
    """Another alarm of the same event."""

    def write() -> int:
        event = Alarm.get_by_id(first).event
        made = Alarm.create(owner=event.owner_id, event=event, alarm_phonenumber=number, **columns)
        alarms.schedule(made, event)
        return int(made.id)

    return int(await stages.write(write))


async def pair(stages: Stages, **columns: Any) -> tuple[int, int]:
    first = await stages.alarm("1", **columns)
    return first, await another(stages, first, **columns)


def cancel(alarm_id: int) -> None:
    alarms.change(Alarm.get_by_id(alarm_id), {}, AlarmStatus.CANCELLED, utcnow())


async def ends(stages: Stages, *ids: int) -> list[tuple[int, str, int]]:
    rows = [await stages.get(alarm_id) for alarm_id in ids]
    return [(row.status, row.status_reason, row.result) for row in rows]


@pytest.mark.parametrize(
    ("disposition", "cause", "key", "first_ends", "other_ends"),
    [
        (Disposition.ANSWER, 16, "", (5, "", 0), (5, "same_moment", 0)),
        (Disposition.ANSWER, 16, "2", (5, "", 2), (5, "same_moment", 2)),
        (Disposition.BUSY, 17, "", (3, "busy", 0), (3, "same_moment", 0)),
    ],
)
async def test_one_call_and_both_end_alike(
    stages: Stages,
    disposition: Disposition,
    cause: int,
    key: str,
    first_ends: tuple[int, str, int],
    other_ends: tuple[int, str, int],
) -> None:
    first, other = await pair(stages)
    (call,) = await stages.claim()
    assert call.alarm_id == first
    assert await stages.place(call)
    assert await stages.claim() == []
    assert (await stages.words(other))[-1][0] == "deferred"
    await stages.end(call, disposition, cause, key=key)
    assert await ends(stages, first, other) == [first_ends, other_ends]
    with time_machine.travel(MORNING + HOUR / 2, tick=False):
        assert await stages.claim() == []
    assert [what for what, _ in await stages.words(other)].count("deferred") == 1


async def test_the_other_waits_through_the_retries_of_the_first(stages: Stages) -> None:
    first, other = await pair(stages, maxretry=1, retry_delay=600, max_lateness=300)
    (call,) = await stages.claim()
    assert await stages.place(call)
    await stages.end(call)
    with time_machine.travel(MORNING + timedelta(minutes=4), tick=False):
        assert await stages.claim() == []
    assert await ends(stages, first, other) == [(3, "busy", 0), (3, "same_moment", 0)]
    first, other = await pair(stages, maxretry=1, retry_delay=60)
    (call,) = await stages.claim()
    assert await stages.place(call)
    await stages.end(call)
    assert (await stages.get(other)).status == AlarmStatus.IN_PROCESS
    with time_machine.travel(MORNING + timedelta(minutes=1), tick=False):
        (call,) = await stages.claim()
        assert call.alarm_id == first
        assert await stages.place(call)
        await stages.end(call, Disposition.ANSWER, 16, key="1")
    assert await ends(stages, first, other) == [(5, "", 1), (5, "same_moment", 1)]


@pytest.mark.parametrize("when", ["before it is due", "while it waits", "while it rings"])
async def test_the_other_rings_if_the_first_is_cancelled(stages: Stages, when: str) -> None:
    first, other = await pair(stages)
    if when == "before it is due":
        await stages.write(cancel, first)
    elif when == "while it waits":
        await stages.planner.step()
        await stages.write(cancel, first)
    else:
        (ringing,) = await stages.claim()
        assert await stages.place(ringing)
        assert await stages.claim() == []
        await stages.write(cancel, first)
        await stages.end(ringing, Disposition.NOANSWER, 19)
    (call,) = await stages.claim()
    assert call.alarm_id == other
    assert (await ends(stages, first))[0][:2] == (7, "cancelled")


async def test_two_workers_that_claim_at_once_ring_once(db: Database, stages: Stages) -> None:
    await pair(stages)
    await pair(stages, method=2)
    second = await db.write(workers.enter, "two", utcnow(), timedelta(seconds=30))
    await stages.planner.step()
    claimed = []
    for holder in (second, stages.holder):
        got = await db.write(Admission(holder, stages.composer).claim, utcnow(), 50)
        claimed += got.calls
    assert len(claimed) == 1
    assert await stages.write(lambda: Message.select().count()) == 1


@pytest.mark.parametrize("method", [2, 3])
async def test_a_message_is_written_once(stages: Stages, method: int) -> None:
    first, other = await pair(stages, method=method, alarm_email="a@example.com")
    await stages.claim()
    await stages.claim()
    written = await stages.write(lambda: {row.alarm_id for row in Message.select()})
    assert written <= {first}
    (said,) = [why for what, why in await stages.words(other) if what == "deferred"]
    assert said == f"alarm {first} is for the same moment; this alarm ends as that one does"


async def test_what_differs_is_not_the_same(stages: Stages) -> None:
    first = await stages.alarm("1")
    survey = await stages.write(
        lambda: Survey.create(owner=User.get(User.username == "manager"), name="other")
    )
    others = [
        await another(stages, first, "2"),
        await another(stages, first, offset=1),
        await another(stages, first, method=2),
        await another(stages, first, survey=survey),
        await another(stages, first, language="es"),
    ]
    spelled = await another(stages, first, survey=stages.survey)
    with time_machine.travel(MORNING + timedelta(seconds=2), tick=False):
        await stages.planner.step()
        await stages.claim()
        await stages.claim()
    words = {alarm_id: await stages.words(alarm_id) for alarm_id in [first, *others, spelled]}
    waits = [key for key, rows in words.items() if "deferred" in [what for what, _ in rows]]
    assert waits == [spelled]


async def test_who_rings_back_answers_for_both(stages: Stages) -> None:
    first, other = await pair(stages, maxretry=3, retry_delay=600)
    (call,) = await stages.claim()
    assert await stages.place(call)
    await stages.end(call)
    found = await stages.write(call_back.find, "1", None, utcnow())
    assert found is not None
    assert found.alarm_id == first
    inbound = await stages.write(call_back.answer, first, "c1", stages.holder, utcnow())
    assert inbound is not None
    await stages.end(inbound, Disposition.ANSWER, 16, key="1")
    assert await ends(stages, first, other) == [(5, "", 1), (5, "same_moment", 1)]


async def test_both_are_settled_by_a_third(stages: Stages) -> None:
    first, other = await pair(stages)
    third = await another(stages, first, "3")
    placed = {call.alarm_id: call for call in await stages.claim()}
    assert set(placed) == {first, third}
    for call in placed.values():
        assert await stages.place(call)
    await stages.end(placed[third], Disposition.ANSWER, 16, key="1")
    await stages.end(placed[first], Disposition.NOANSWER, 19)
    assert await ends(stages, first, other) == [(7, "settled", 0), (7, "settled", 0)]


async def test_the_plan_shows_one_call(stages: Stages) -> None:
    start = MORNING + 2 * HOUR
    first, other = await pair(stages, start=start)

    def plan() -> list[tuple[int, str, str]]:
        login = User.get(User.username == "manager")
        entries = dry_run.entries(login, utcnow(), MORNING, MORNING + 24 * HOUR, 10)
        return [(row.alarm_id, row.action, row.why) for row in dry_run.decided(entries)]

    shown = [(first, "call", ""), (other, "skip", "same_moment")]
    assert await stages.write(plan) == shown
    with time_machine.travel(start, tick=False):
        await stages.claim()
        rows = await stages.write(plan)
        assert [row for row in rows if row[0] == other] == [shown[1]]
    assert await stages.write(lambda: Event.select().count()) == 1


async def test_a_crowd_on_one_event_is_not_read_for_each_batch(
    stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One call to each of many people: nobody waits for anybody, and that is found at once."""
    first = await stages.alarm("600000000")
    for number in range(1, 300):
        await another(stages, first, str(600_000_000 + number))
    twin = await another(stages, first, "600000007")
    compared: list[Alarm] = []
    recipient = same_moment._recipient

    def counted(alarm: Alarm) -> str:
        compared.append(alarm)
        return recipient(alarm)

    monkeypatch.setattr(same_moment, "_recipient", counted)

    def looked() -> tuple[dict[int, int], int]:
        rows = list(Alarm.select().order_by(Alarm.id))
        return same_moment.firsts(rows[-10:]), len(same_moment.waiting_for(rows[7]))

    waiting, following = await stages.write(looked)
    assert (waiting, following) == ({twin: first + 7}, 1)
    assert len(compared) <= 30
