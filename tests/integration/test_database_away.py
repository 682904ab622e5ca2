"""The database goes away in mid-call: nothing that the callee said or keyed is lost or doubled."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.errors import StorageError
from telealarm.models import (
    Alarm,
    AlarmRequest,
    CallRequest,
    DncContact,
    Message,
    Section,
    SurveyResult,
    Timeline,
    Transfer,
    User,
)
from telealarm.sections.call_transfer import CallTransfer
from telealarm.sections.capture_digits import CaptureDigits
from telealarm.sections.do_not_call import DoNotCall
from telealarm.sections.record_message import RecordMessage
from telealarm.sections.sms import Sms
from telealarm.store.dialing import call_progress, calls, workers
from telealarm.store.dialing.calls import Call
from telealarm.store.engine.database import Database
from telealarm.store.engine.watchdog import Watchdog
from telealarm.store.open import open_database
from telealarm.store.survey import section_effects, session_progress, transfers
from telealarm.words import AlarmStatus, Disposition
from tests.integration.stages import Stages
from tests.lab.key import key_file
from tests.lab.postgres import Postgres, running
from tests.lab.small_disk import SmallDisk, mounted
from tests.lab.speed import limit
from tests.lab.waiting import until

Away = Callable[[], AbstractContextManager[None]]


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A PostgreSQL that these tests may freeze and stop."""
    with running() as server:
        yield server


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with mounted(tmp_path / "disk", 8192) as disk:
        yield disk


@pytest.fixture(
    params=["sqlite locked", "sqlite disk full", "postgresql frozen", "postgresql stopped"]
)
def way(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Config, Away]:
    """A database, and what makes it be away for the time of a block."""
    if request.param == "sqlite disk full":
        disk: SmallDisk = request.getfixturevalue("disk")

        @contextmanager
        def full() -> Iterator[None]:
            # While somebody else has the file open, no WAL is deleted: that would make room.
            with closing(sqlite3.connect(disk.folder / "telealarm.db")) as other:
                other.execute("SELECT * FROM installation").fetchall()
                disk.fill()
                yield
                disk.free()

        return Config(database=f"sqlite:///{disk.folder}/telealarm.db"), full
    if request.param == "sqlite locked":
        path = tmp_path / "telealarm.db"

        @contextmanager
        def locked() -> Iterator[None]:
            other = sqlite3.connect(path, isolation_level=None, timeout=limit(30))
            other.execute("BEGIN EXCLUSIVE")
            try:
                yield
            finally:
                other.rollback()
                other.close()

        return Config(database=f"sqlite:///{path}"), locked
    server: Postgres = request.getfixturevalue("server")

    @contextmanager
    def frozen() -> Iterator[None]:
        server.freeze()
        try:
            yield
        finally:
            server.thaw()

    @contextmanager
    def stopped() -> Iterator[None]:
        server.shut_down()
        try:
            yield
        finally:
            server.boot()

    away = frozen if request.param == "postgresql frozen" else stopped
    return Config(database=server.new_database(), key_file=key_file()), away


@pytest.fixture
def away(way: tuple[Config, Away]) -> Away:
    return way[1]


@pytest_asyncio.fixture
async def stages(way: tuple[Config, Away]) -> AsyncIterator[Stages]:
    db = open_database(way[0])
    db.start()
    try:
        await db.write(lambda: User.create(username="manager", password_hash="-"))
        yield await Stages.build(db)
    finally:
        await db.close()


async def talking(stages: Stages, **alarm: Any) -> Call:
    """A call that was answered."""
    await stages.alarm(**alarm)
    (call,) = await stages.claim()
    assert await stages.place(call)
    await stages.db.write(call_progress.answered, call, utcnow())
    return call


async def section(stages: Stages, kind: Any, order: int) -> int:
    columns = {"survey": stages.survey, "order": order, "type": kind.number}
    created = await stages.db.write(lambda: Section.create(**columns))
    return int(created.id)


AWAY_SECONDS = [1.0, *(pytest.param(s, marks=pytest.mark.long) for s in (10.0, 60.0))]


@pytest.mark.parametrize("seconds", AWAY_SECONDS)
async def test_every_write_of_a_session_waits_for_the_database(
    stages: Stages, away: Away, seconds: float
) -> None:
    db = stages.db
    call = await talking(stages, phonenumber_transfer="200", require_result=True, maxretry=3)
    kinds = (CaptureDigits, RecordMessage, DoNotCall, Sms, CallTransfer)
    digits, message, block, sms, transfer = [
        await section(stages, kind, order) for order, kind in enumerate(kinds, 2)
    ]
    agent = await db.write(transfers.begin, call, transfer, "")
    assert agent is not None
    rating = stages.section.id
    now = utcnow()
    ended: dict[str, Any] = {
        "disposition": Disposition.ANSWER,
        "cause": 16,
        "why": "",
        "at": now,
        "finished": True,
    }
    backlog, line = db.backlog, call.id
    with away():
        futures = [
            backlog.add(line, session_progress.enter, call, rating, 0, ""),
            backlog.add(line, session_progress.heard, call),
            backlog.add(line, session_progress.enter, call, rating, 1, ""),
            backlog.add(
                line,
                session_progress.keep,
                call,
                session_progress.Answer(digits, "4711", False, rating),
            ),
            backlog.add(line, session_progress.acting, call),
            backlog.add(line, section_effects.recorded, call, message, "file", 2.5),
            backlog.add(line, section_effects.block, call, block),
            backlog.add(line, section_effects.send, call, sms, "See you.", now),
            backlog.add(line, transfers.answered, agent, now),
            backlog.add(line, transfers.taken, call, agent, now),
            backlog.add(line, transfers.end, call, agent, "no_answer", Disposition.ANSWER, 16, now),
            backlog.add(
                line, session_progress.keep, call, session_progress.Answer(rating, "1", True, None)
            ),
            backlog.add(line, call_progress.end, call, call_progress.End(**ended)),
        ]
        # As long as the database is away, nothing is written, and nothing fails.
        await asyncio.sleep(seconds)
        assert not any(future.done() for future in futures)
    async with asyncio.timeout(limit(60)):
        await asyncio.gather(*futures)
    await stages.settler.step()

    def found() -> dict[str, Any]:
        alarm, row = Alarm.get_by_id(call.alarm_id), CallRequest.get_by_id(call.id)
        results = SurveyResult.select().order_by(SurveyResult.section)
        words = Timeline.select(Timeline.what).where(Timeline.alarm == call.alarm_id)
        told = [word for (word,) in words.order_by(Timeline.id).tuples().execute()]
        return {
            "alarm": (alarm.status, alarm.result, alarm.num_attempt),
            "call": (row.heard, row.finished, row.disposition),
            "results": [result.response for result in results],
            "blocked": [contact.phone_number for contact in DncContact.select()],
            "sent": [message.text for message in Message.select()],
            "agents": [bool(agent.taken and agent.ended) for agent in Transfer.select()],
            "requests": AlarmRequest.select().count(),
            "keys": told.count("key"),
        }

    assert await db.read(found) == {
        "alarm": (AlarmStatus.SUCCESS, 1, 1),
        "call": (True, True, "ANSWER"),
        "results": ["1", "4711", "recorded", "added", "queued", "taken"],
        "blocked": ["100"],
        "sent": ["See you."],
        "agents": [True],
        "requests": 1,
        "keys": 2,
    }


@pytest.mark.parametrize("seconds", AWAY_SECONDS)
async def test_no_waiter_hangs_and_all_goes_on_when_the_database_is_back(
    stages: Stages, away: Away, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reads and plain writes come to an end meanwhile: an answer, or an error that says why."""
    db = stages.db
    monkeypatch.setattr(db._watchdog, "_stuck_seconds", 3.0)
    with away():
        waiting = [
            asyncio.ensure_future(waiter)
            for _ in range(20)
            for waiter in (db.write(User.select().count), db.read(User.select().count))
        ]
        await asyncio.sleep(seconds)
    async with asyncio.timeout(limit(90)):
        ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(end == 1 or isinstance(end, StorageError) for end in ends), ends
    assert await db.write(User.select().count) == await db.read(User.select().count) == 1


async def test_the_watchdog_breaks_a_connection_that_never_answers(server: Postgres) -> None:
    db = open_database(Config(database=server.new_database(), key_file=key_file()))
    db._watchdog = Watchdog(1.0)
    db.start()
    try:
        await db.write(User.select().count)
        await db.read(User.select().count)
        server.freeze()
        try:
            async with asyncio.timeout(limit(40)):
                for waiter in (db.read(User.select().count), db.write(User.select().count)):
                    with pytest.raises(StorageError, match="did not"):
                        await waiter
        finally:
            server.thaw()
        assert await db.write(User.select().count) == 0
    finally:
        await db.close()


async def lost(stages: Stages, call: Call) -> None:
    """The call is taken for interrupted, before the key of the callee was saved."""
    await stages.db.write(
        call_progress.end,
        call,
        call_progress.End(
            disposition=Disposition.ANSWER,
            cause=0,
            why="",
            at=utcnow(),
            billed_seconds=5,
            finished=False,
        ),
    )
    await stages.settler.step()


async def late_key(stages: Stages, call: Call, key: str = "1") -> bool:
    return await stages.db.write(
        session_progress.keep, call, session_progress.Answer(stages.section.id, key, True, None)
    )


async def state(stages: Stages, call: Call) -> tuple[int, int, str, list[int]]:
    def read() -> tuple[int, int, str, list[int]]:
        alarm = Alarm.get_by_id(call.alarm_id)
        requests = AlarmRequest.select().order_by(AlarmRequest.id)
        statuses = [request.status for request in requests]
        return alarm.status, alarm.result, alarm.status_reason, statuses

    return await stages.db.read(read)


@pytest.fixture
def plain(db: Database) -> Database:
    """A database that stays."""
    return db


async def test_an_answer_that_is_saved_after_the_outcome_wins_over_the_retry(
    plain: Database,
) -> None:
    stages = await Stages.build(plain)
    call = await talking(stages, maxretry=2, retry_delay=600)
    await lost(stages, call)
    assert (await state(stages, call))[0] == AlarmStatus.RETRY
    assert await late_key(stages, call)
    status, result, reason, requests = await state(stages, call)
    assert (status, result, reason) == (AlarmStatus.SUCCESS, 1, "")
    assert requests[-1] == AlarmStatus.CANCELLED


async def test_it_wins_while_the_phone_rings_again(plain: Database) -> None:
    stages = await Stages.build(plain)
    call = await talking(stages, maxretry=2, retry_delay=0)
    await lost(stages, call)

    async def claimed() -> list[Call]:
        return await stages.claim()

    again: list[Call] = []

    async def rings() -> bool:
        again.extend(await claimed())
        return bool(again)

    await until(rings, 40, "the retry is claimed")
    assert await stages.place(again[0])
    await late_key(stages, call)
    assert await stages.db.read(calls.withdrawn, stages.holder) == [again[0].id]
    await stages.end(again[0], Disposition.CANCEL, 16)
    status, result, _, _ = await state(stages, call)
    assert (status, result) == (AlarmStatus.SUCCESS, 1)


async def test_it_wins_over_a_failure_and_over_another_worker(plain: Database) -> None:
    stages = await Stages.build(plain)
    call = await talking(stages, maxretry=0)
    other = await plain.write(workers.enter, "two", utcnow(), timedelta(seconds=30))
    leases = await plain.read(workers.leases, other)
    await plain.write(workers.take_over, other, leases)
    (theirs,) = await plain.write(calls.in_flight, other)
    assert theirs.id == call.id
    await lost(stages, theirs)
    assert not await late_key(stages, call)
    status, result, _, _ = await state(stages, call)
    assert (status, result) == (AlarmStatus.SUCCESS, 1)


async def test_what_cannot_be_written_before_the_end_is_told(
    stages: Stages, away: Away, caplog: pytest.LogCaptureFixture
) -> None:
    call = await talking(stages)
    with away():
        future = stages.db.backlog.add(call.id, session_progress.heard, call)
        await stages.db.backlog.close(0.1)
        with pytest.raises(StorageError):
            await future
    assert f"lost, the database was away: heard of call {call.id}" in caplog.text
