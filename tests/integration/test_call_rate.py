"""The pace and the order in which calls leave, by real dialers, on both databases.

There is no telephone behind the ARI double, so no call ends by itself.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import pytest_asyncio
from peewee import PostgresqlDatabase, chunked

from telealarm.asterisk.ari import Channel, Client
from telealarm.clock import monotonic, utcnow
from telealarm.dialing import pacer
from telealarm.dialing.call import CallServices
from telealarm.dialing.dispatcher import CallDispatcher
from telealarm.models import Alarm, AlarmRequest, Calendar, Event, Gateway
from telealarm.planning.planner import BATCH
from telealarm.rules import rate_limit
from telealarm.rules.rate_limit import Departure, Window
from telealarm.store.alarms import alarms
from telealarm.store.calendars import events
from telealarm.store.dialing import calls, fair_queue, workers
from telealarm.store.dialing.admission import Admission
from telealarm.store.dialing.call_rate import EXACT_SECONDS, CallRate
from telealarm.store.dialing.calls import Call
from telealarm.store.engine import dialect
from telealarm.store.engine.database import Database, wake
from telealarm.words import AlarmStatus, EventStatus
from tests.integration.stages import Stages
from tests.lab.ari_double import PASSWORD, USER, AriDouble
from tests.lab.speed import limit
from tests.lab.waiting import until
from tests.unit.test_rate_limit import fullest_window


@pytest_asyncio.fixture
async def stages(db: Database) -> Stages:
    return await Stages.build(db)


@pytest.fixture
async def ari() -> AsyncIterator[AriDouble]:
    async with AriDouble() as double:
        yield double


@pytest.fixture
def departures(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When each paced call left, whichever worker sent it."""
    left: list[float] = []

    class Counted(Window):
        def leave(self, now: float) -> Departure:
            left.append(now)
            return super().leave(now)

    monkeypatch.setattr(pacer, "Window", Counted)
    return left


StartDialer = Callable[..., Awaitable[CallDispatcher]]


@pytest_asyncio.fixture
async def start_dialer(db: Database, ari: AriDouble) -> AsyncIterator[StartDialer]:
    """`await start_dialer("one")`: a worker on the same database, as another process has it."""
    async with AsyncExitStack() as stack:

        async def start(name: str, prepare: Any = None) -> CallDispatcher:
            own = Database(db.peewee)
            own.start()
            stack.push_async_callback(own.close)
            holder = await own.write(workers.enter, name, utcnow(), timedelta(seconds=30))
            client = Client(url=ari.url, user=USER, password=PASSWORD, app=name)

            async def ready(_: Call) -> None:
                """Nothing is said."""

            async def converse(_: Call, __: Channel) -> None:
                """Nobody answers."""

            dialer = CallDispatcher(
                ari=client,
                holder=holder,
                admission=Admission(holder),
                services=CallServices(own, prepare or ready, converse, None),
            )
            tasks = [asyncio.create_task(client.run()), asyncio.create_task(dialer.run())]

            async def stop() -> None:
                await dialer.drain(0)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

            stack.push_async_callback(stop)
            await until(lambda: client.connected, 30, "connected")
            return dialer

        yield start


def dialled(ari: AriDouble) -> list[str]:
    """The numbers in the order in which Asterisk was asked to ring them."""
    asked = [ask for ask in ari.requests if ask.method == "POST" and "endpoint" in ask.body]
    return [ask.body["endpoint"].removeprefix("PJSIP/").removesuffix("@trunk") for ask in asked]


def pace(**columns: Any) -> Callable[[], None]:
    return lambda: Gateway.update(**columns).execute()


async def blast(stages: Stages, numbers: range, calendar: Calendar | None = None) -> None:
    """An alarm for each number, all due now, and enqueued."""
    event = await stages.alarm(str(numbers[0]), calendar=calendar)

    def write() -> None:
        first = Alarm.get_by_id(event)
        rows = [
            {
                "owner": first.owner_id,
                "event": first.event_id,
                "alarm_phonenumber": str(number),
                "due": first.due,
            }
            for number in numbers[1:]
        ]
        for some in chunked(rows, 500):
            Alarm.insert_many(some).execute()

    await stages.write(write)
    for _ in range(0, len(numbers), BATCH):
        await stages.planner.step()


# The cap


@pytest.mark.parametrize("names", [["one"], ["one", "two"]], ids=["one worker", "two workers"])
async def test_no_second_has_more_calls_than_the_cap(
    stages: Stages,
    ari: AriDouble,
    start_dialer: StartDialer,
    departures: list[float],
    names: list[str],
) -> None:
    await stages.write(pace(calls_per_second=20))
    for name in names:
        await start_dialer(name)
    await blast(stages, range(1000, 1100))
    await until(lambda: len(dialled(ari)) == 100, 60, "all are dialled")
    assert len(departures) == len(set(dialled(ari))) == 100
    assert fullest_window(departures) <= 20
    if len(names) > 1:
        apps = {
            ask.body["variables"]["TELEALARM_APP"]
            for ask in ari.requests
            if "variables" in ask.body
        }
        assert apps == set(names)


@pytest.mark.parametrize("slow", ["the question", "the answer"])
async def test_the_cap_is_kept_if_the_shared_clock_is_slow_to_answer(
    stages: Stages, monkeypatch: pytest.MonkeyPatch, slow: str
) -> None:
    """Workers share the database's clock; nobody knows when within a slow answer it was read."""
    seconds = 0.05
    gateway = await stages.write(lambda: Gateway.get().id)

    def slowly(_: object) -> datetime:
        time.sleep(seconds if slow == "the question" else 0)
        now = utcnow()
        time.sleep(seconds if slow == "the answer" else 0)
        return now

    def draw(count: int) -> list[float]:
        rate = CallRate()
        slots = [rate.draw(gateway) for _ in range(count)]
        rate.keep()
        return [slot.at for slot in slots if slot is not None]

    await stages.write(pace(calls_per_second=20))
    quickly = dialect.shared_now
    drawn = []
    for read_clock in (slowly, quickly, slowly):
        monkeypatch.setattr(dialect, "shared_now", read_clock)
        drawn += await stages.write(draw, 3)
    apart = [after - before for before, after in pairwise(drawn)]
    assert len(apart) == 8
    assert min(apart) >= rate_limit.interval(20).total_seconds() - EXACT_SECONDS, apart


@pytest.mark.parametrize("config", ["postgresql"], indirect=True)  # SQLite has one writer
async def test_a_worker_that_waited_for_the_gateway_draws_after_the_one_that_had_it(
    stages: Stages, db: Database
) -> None:
    """It must not look at the clock before it has the gateway: its time would be an old one."""
    gateway = await stages.write(lambda: Gateway.get().id)
    await stages.write(pace(calls_per_second=20))
    other = Database(db.peewee)
    other.start()
    has_it, asks = threading.Event(), threading.Event()

    def drawn(rate: CallRate) -> list[float]:
        slots = []
        while rate.is_near(gateway):
            slot = rate.draw(gateway)
            assert slot is not None
            slots.append(slot.at)
        rate.keep()
        return slots

    def first() -> list[float]:
        rate = CallRate()
        assert rate.has_pace(gateway)
        has_it.set()
        asks.wait(limit(20))
        time.sleep(0.5)  # the other one waits now
        return drawn(rate)

    def second() -> list[float]:
        has_it.wait(limit(20))
        asks.set()
        rate = CallRate()
        return drawn(rate) or [rate.again[gateway]]

    try:
        before, after = await asyncio.gather(stages.write(first), other.write(second))
    finally:
        await other.close()
    assert len(before) > 5
    # It has no slot, but for those that became near while it waited.
    assert after[0] >= before[-1] - rate_limit.AHEAD.total_seconds() / 2 - 0.1
    if len(after) > 1:
        assert after[0] >= before[-1] + rate_limit.interval(20).total_seconds() - EXACT_SECONDS


async def test_a_cap_below_one_a_second_is_kept(
    stages: Stages, ari: AriDouble, start_dialer: StartDialer, departures: list[float]
) -> None:
    await stages.write(pace(calls_per_second=0.5))
    await blast(stages, range(100, 103))
    await start_dialer("one")
    await until(lambda: len(dialled(ari)) == 3, 30, "all are dialled")
    first, second, third = departures
    assert second - first >= 2.0
    assert third - second >= 2.0


async def test_a_worker_that_was_held_up_sends_no_burst_after_it(
    stages: Stages, ari: AriDouble, start_dialer: StartDialer, departures: list[float]
) -> None:
    """Every prompt takes half a second at first: several slots are missed at once."""
    await stages.write(pace(calls_per_second=10))
    begun = monotonic()

    async def slowly(_: Call) -> None:
        await asyncio.sleep(max(0.0, begun + 2.0 - monotonic()))

    await blast(stages, range(100, 135))
    begun = monotonic()
    await start_dialer("one", slowly)
    await until(lambda: len(dialled(ari)) == 35, 60, "all are dialled")
    assert fullest_window(departures) <= 10


@pytest.mark.parametrize("change", ["paused", "renumbered"])
async def test_what_is_edited_between_the_claim_and_the_slot_is_read_again(
    stages: Stages, ari: AriDouble, start_dialer: StartDialer, change: str
) -> None:
    await stages.write(pace(calls_per_second=5))
    claimed, edited = asyncio.Event(), asyncio.Event()

    async def hold(_: Call) -> None:
        claimed.set()
        await edited.wait()

    alarm_id = await stages.alarm("100")
    await stages.planner.step()
    await start_dialer("one", hold)
    await claimed.wait()

    def edit() -> None:
        alarm = Alarm.get_by_id(alarm_id)
        if change == "paused":
            events.set_status(alarm.event, EventStatus.PAUSED, utcnow())
        else:
            alarms.change(alarm, {"alarm_phonenumber": "200"}, None, utcnow())

    await stages.write(edit)
    edited.set()
    await stages.alarm("300")
    await stages.planner.step()
    await until(lambda: "300" in dialled(ari), 30, "another is dialled")
    if change == "renumbered":
        await until(lambda: "200" in dialled(ari), 30, "the new number is dialled")
    assert "100" not in dialled(ari)


# Whose turn it is


@pytest.mark.long
async def test_a_blast_of_one_calendar_delays_its_neighbour_by_a_few_calls(
    stages: Stages, ari: AriDouble, start_dialer: StartDialer
) -> None:
    await stages.write(pace(calls_per_second=20))
    await blast(stages, range(10_000, 20_000))
    await start_dialer("one")
    await until(lambda: len(dialled(ari)) >= 10, 60, "the blast has begun")
    neighbour = await stages.write(stages.new_calendar, "hotel", stages.setting)
    await stages.alarm("700", calendar=neighbour)
    await stages.planner.step()
    before = len(dialled(ari))
    await until(lambda: "700" in dialled(ari), 30, "the neighbour is dialled")
    # What had its slot already, 0.4 s of the pace, goes first.
    assert dialled(ari).index("700") - before <= 20


async def test_calendars_take_turns_though_only_one_call_may_go_at_a_time(stages: Stages) -> None:
    await stages.write(pace(maximum_call=1))
    for name in ("A", "B", "C"):
        calendar = await stages.write(stages.new_calendar, name, stages.setting)
        for number in range(3):
            await stages.alarm(f"{ord(name)}{number}", calendar=calendar)
    served = []
    for _ in range(9):
        (call,) = await stages.claim()
        served.append(call.number[:2])
        await stages.place(call)
        await stages.end(call)
    assert sorted(served[:3]) == sorted(served[3:6]) == sorted(served[6:]) == ["65", "66", "67"]


async def test_an_event_that_moved_to_another_calendar_counts_for_that_ones_cap(
    stages: Stages,
) -> None:
    capped = await stages.write(stages.new_calendar, "capped", stages.setting, max_concurrent=1)
    await stages.alarm("100", calendar=capped)
    assert len(await stages.claim()) == 1
    moved = await stages.alarm("200")
    await stages.planner.step()
    await stages.write(lambda: Event.update(calendar=capped).execute())
    assert await stages.claim() == []
    request = await stages.write(AlarmRequest.get, AlarmRequest.alarm == moved)
    assert request.queue == capped.id


# One live call per phone number


async def test_numbers_are_compared_as_they_are_dialled(stages: Stages) -> None:
    """Two settings of one trunk write the same phone differently."""

    def write() -> Calendar:
        Gateway.update(removeprefix="+", addprefix="00").execute()
        plain = Gateway.create(name="plain", gateways="PJSIP/{number}@trunk")
        setting = stages.setting.clone()
        setting.id = None
        setting.aleg_gateway = plain
        setting.save(force_insert=True)
        return stages.new_calendar("plain", setting)

    plain = await stages.write(write)
    await stages.alarm("+34600")
    (call,) = await stages.claim()
    assert call.endpoint == "PJSIP/0034600@trunk"
    same = await stages.alarm("0034600", calendar=plain)
    other = await stages.alarm("34600", calendar=plain)
    (rung,) = await stages.claim()
    assert rung.alarm_id == other
    assert await stages.claim() == []
    await stages.place(call)
    await stages.end(call)
    (freed,) = await stages.claim()
    assert freed.alarm_id == same


async def test_a_number_that_is_edited_does_not_wait_for_the_old_one(stages: Stages) -> None:
    await stages.alarm("100")
    assert len(await stages.claim()) == 1
    waiting = await stages.alarm("100")
    assert await stages.claim() == []
    await stages.write(
        lambda: alarms.change(
            Alarm.get_by_id(waiting), {"alarm_phonenumber": "200"}, None, utcnow()
        )
    )
    assert [call.number for call in await stages.claim()] == ["200"]


async def test_a_call_that_was_put_back_frees_its_number(stages: Stages) -> None:
    await stages.alarm("100")
    (first,) = await stages.claim()
    second = await stages.alarm("100")
    assert await stages.claim() == []
    await stages.write(calls.give_back, first, "no prompts", utcnow() + timedelta(hours=9))
    assert [call.alarm_id for call in await stages.claim()] == [second]


# What is waiting costs nothing


@pytest.mark.long
@pytest.mark.fresh
async def test_a_claim_finds_its_way_by_indexes_however_much_waits(
    stages: Stages, db: Database
) -> None:
    """Neither query reads a table from end to end, or requests that are not due yet."""
    now = utcnow()
    await blast(stages, range(1000, 1010))
    later = now + timedelta(days=1)

    def wait() -> None:
        alarm = Alarm.get()
        rows = [
            {
                "owner": alarm.owner_id,
                "alarm": alarm.id,
                "queue": queue,
                "date": date,
                "status": status,
            }
            for queue in range(1, 21)
            for date, status in ((later, AlarmStatus.PENDING), (now, AlarmStatus.SUCCESS))
            for _ in range(500)
        ]
        for some in chunked(rows, 500):
            AlarmRequest.insert_many(some).execute()
        AlarmRequest._meta.database.execute_sql("ANALYZE")

    await stages.write(wait)

    def plans() -> list[str]:
        due = fair_queue.DUE.statement(queue=stages.calendar.id, now=now, limit=50)
        return [explain(*fair_queue.due_queues(now, [3], [4]).sql()), explain(*due)]

    turns, due = await stages.write(plans)
    assert turns.count(INDEX) >= 2, turns
    assert due.count(INDEX) == 1, due
    for line in (turns + due).splitlines():
        assert "alarm_request t" not in line or INDEX in line, line
    assert "Seq Scan on alarm_request" not in turns + due


INDEX = "alarmrequest_status_waits_for_queue_date_id"


def explain(sql: str, params: list[Any]) -> str:
    """The plan of the database for a statement."""
    database = AlarmRequest._meta.database
    how = "EXPLAIN" if isinstance(database, PostgresqlDatabase) else "EXPLAIN QUERY PLAN"
    rows = database.execute_sql(f"{how} {sql}", params).fetchall()
    return "\n".join(str(row[-1]) for row in rows)


async def test_a_queue_is_found_among_the_others_by_both_databases(stages: Stages) -> None:
    """Those that are due, in turn from the one that was served last."""
    now = utcnow()
    alarm_id = await stages.alarm("100")

    def write() -> None:
        alarm = Alarm.get_by_id(alarm_id)
        for queue, date in ((11, now), (12, now + timedelta(hours=1)), (13, now), (13, now)):
            AlarmRequest.create(owner=alarm.owner_id, alarm=alarm, queue=queue, date=date)
        AlarmRequest.create(owner=alarm.owner_id, alarm=alarm, queue=14, date=now, waits_for=1)

    await stages.write(write)
    assert await stages.write(fair_queue.turns, now, 0) == [11, 13]
    assert await stages.write(fair_queue.turns, now, 11) == [13, 11]
    assert await stages.write(fair_queue.turns, now, 0, calendars=[13]) == [11]


# Other processes are woken


@pytest.mark.parametrize("config", ["postgresql"], indirect=True)  # SQLite's processes poll
async def test_a_commit_of_one_process_wakes_the_stages_of_another(db: Database) -> None:
    other = Database(db.peewee)
    other.start()
    try:
        bell = db._listener
        assert bell is not None
        await until(bell.connected.is_set, 30, "it listens")
        await asyncio.sleep(0)
        db.stage("dialing").clear()
        await other.write(wake, "dialing")
        async with asyncio.timeout(limit(30)):
            await db.stage("dialing").wait()
        # A lost connection is made anew, and what was rung meanwhile is asked for.
        db.stage("dialing").clear()
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%%'"
        await other.write(db.peewee.execute_sql, cut)
        async with asyncio.timeout(limit(30)):
            await db.stage("dialing").wait()
        db.stage("dialing").clear()
        await other.write(wake, "dialing")
        async with asyncio.timeout(limit(30)):
            await db.stage("dialing").wait()
    finally:
        await other.close()
