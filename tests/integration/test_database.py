"""The one writer: many callers, one commit, and no failure that turns into silence."""

import asyncio
import threading
from datetime import timedelta
from pathlib import Path

import peewee
import pytest
from playhouse.schema_diff import diff_models

from telealarm import models
from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.errors import Overloaded, Stale, StorageError
from telealarm.models import Calendar, CalendarUser, Event, User
from telealarm.store import open
from telealarm.store.dialing import workers
from telealarm.store.engine.database import Database, wake
from telealarm.store.engine.transition import move
from telealarm.words import EventStatus
from tests.lab.speed import limit


def add(name: str) -> int:
    user_id: int = User.create(username=name, password_hash="-").id
    return user_id


def count() -> int:
    found: int = User.select().where(User.username.startswith("user")).count()
    return found


async def test_writes_share_commits_and_one_that_fails_takes_none_with_it(db: Database) -> None:
    def write(number: int) -> int:
        made = add(f"user{number}")
        if number % 10 == 0:
            raise ValueError(f"not {number}")
        return made

    writes = [db.write(write, number) for number in range(200)]
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [isinstance(result, ValueError) for result in results] == [
        n % 10 == 0 for n in range(200)
    ]
    assert await db.read(count) == 180


async def test_a_stage_is_woken_by_the_commit_and_not_by_what_was_undone(db: Database) -> None:
    def good() -> None:
        wake("dialing")

    def bad() -> None:
        wake("planning")
        raise ValueError

    results = await asyncio.gather(db.write(good), db.write(bad), return_exceptions=True)
    assert isinstance(results[1], ValueError)
    async with asyncio.timeout(limit(5)):
        await db.stage("dialing").wait()
    assert not db.stage("planning").is_set()


async def test_a_full_queue_says_so_at_once(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    held = threading.Event()
    holding = asyncio.create_task(db.write(held.wait, limit(20)))
    await asyncio.sleep(0)
    monkeypatch.setattr(db._jobs, "maxsize", 5)
    writes = [asyncio.create_task(db.write(add, f"user{n}")) for n in range(50)]
    done, _ = await asyncio.wait(writes, return_when=asyncio.FIRST_EXCEPTION, timeout=limit(5))
    assert any(isinstance(task.exception(), Overloaded) for task in done)
    held.set()
    await holding
    results = await asyncio.gather(*writes, return_exceptions=True)
    kept = [result for result in results if isinstance(result, int)]
    assert await db.read(count) == len(kept) > 0


async def test_a_lost_connection_reaches_every_waiter_and_the_next_write_goes_on(
    db: Database,
) -> None:
    def break_connection() -> None:
        raise peewee.OperationalError("server closed the connection unexpectedly")

    writes = [db.write(add, "user1"), db.write(break_connection)]
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert isinstance(results[1], StorageError)
    # The first either shared the batch, and was undone and told, or was committed before.
    assert await db.read(count) == (0 if isinstance(results[0], StorageError) else 1)
    await db.write(add, "user2")


async def test_a_worker_whose_name_another_process_took_is_told(db: Database) -> None:
    lease = timedelta(seconds=5)

    def enter_twice() -> None:
        first = workers.enter("lab", utcnow(), lease)
        workers.renew(first, utcnow(), lease)
        workers.enter("lab", utcnow(), lease)
        workers.renew(first, utcnow(), lease)

    with pytest.raises(Stale, match=r"worker\.name"):
        await db.write(enter_twice)


async def test_a_row_that_was_changed_meanwhile_is_stale_and_stays(db: Database) -> None:
    def race() -> None:
        user = User.get(User.username == "manager")
        calendar_user = CalendarUser.create(owner=user, username="u", password_hash="-")
        calendar = Calendar.create(owner=user, name="c", user=calendar_user)
        now = utcnow()
        event = Event.create(
            owner=user, title="t", start=now, end=now, creator=calendar_user, calendar=calendar
        )
        same = Event.get_by_id(event.id)
        move(event, EventStatus.PAUSED)
        move(same, EventStatus.COMPLETED)

    with pytest.raises(Stale):
        await db.write(race)


async def test_the_migrations_make_what_the_models_say(db: Database) -> None:
    def drift() -> str:
        return str(diff_models(db.peewee, models.ALL))

    changes = await db.read(drift)
    assert changes == ""


def test_an_unusable_database_is_one_clear_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "telealarm.db"
    broken.write_text("this is no database, whatever its name says, and it is long enough")
    with pytest.raises(StorageError, match=r"telealarm\.db cannot be opened") as caught:
        open.open_database(Config(database=f"sqlite:///{broken}"))
    assert "name another" in str(caught.value)


def test_a_password_is_in_no_message(tmp_path: Path) -> None:
    url = "postgresql://telealarm:hunter2@127.0.0.1:1/telealarm"
    with pytest.raises(StorageError, match=r"127\.0\.0\.1:1/telealarm") as caught:
        open.open_database(Config(database=url))
    assert "hunter2" not in str(caught.value)
