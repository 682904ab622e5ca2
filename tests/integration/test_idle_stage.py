"""A stage that has nothing to do costs nothing: it asks the database only after a commit."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.store.engine import loop
from telealarm.store.engine.database import Database
from telealarm.store.engine.loop import run_stage
from telealarm.store.open import open_database
from tests.lab.key import key_file
from tests.lab.waiting import until

POLL_SECONDS = 0.02


class Stage:
    """Counts its steps, and how often it looks whether there was a commit."""

    def __init__(self, db: Database, due: datetime | None) -> None:
        self.steps = self.looks = 0
        self._due = due
        self._stamps = db.stamps
        db.stamps = self._look  # type: ignore[method-assign]

    async def step(self) -> datetime | None:
        self.steps += 1
        return self._due

    def _look(self) -> object:
        self.looks += 1
        return self._stamps()


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    made = open_database(Config(database=f"sqlite:///{tmp_path}/x.db", key_file=key_file()))
    made.start()
    await made.write(lambda: None)  # the writer's connection keeps the log of the file
    yield made
    await made.close()


@asynccontextmanager
async def running(db: Database, due: datetime | None = None) -> AsyncIterator[Stage]:
    """Run a stage that polls often."""
    stage = Stage(db, due)
    log = logging.getLogger("idle")
    task = asyncio.create_task(run_stage(db, "idle", stage.step, log, poll_seconds=POLL_SECONDS))
    yield stage
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def polls(stage: Stage, count: int) -> None:
    looks = stage.looks + count
    await until(lambda: stage.looks >= looks, 10, "the stage has polled")


async def test_a_poll_without_a_commit_asks_nothing(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "QUIET_POLLS", 1_000_000)
    async with running(db) as stage:
        await polls(stage, 20)
        assert stage.steps == 1


async def test_the_commit_of_another_process_is_seen_by_the_next_poll(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "QUIET_POLLS", 1_000_000)
    async with running(db) as stage:
        await polls(stage, 2)
        with closing(sqlite3.connect(tmp_path / "x.db")) as other, other:
            other.execute("UPDATE installation SET name = 'changed'")
        await until(lambda: stage.steps == 2, 10, "the stage has looked again")
        await polls(stage, 20)
        assert stage.steps == 2


async def test_what_is_due_later_is_done_then(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "QUIET_POLLS", 1_000_000)
    due = utcnow() + timedelta(seconds=0.3)
    async with running(db, due) as stage:
        await until(lambda: stage.steps >= 2, 10, "the stage has looked again")
        assert utcnow() >= due


async def test_what_lapses_without_a_commit_is_found_after_some_polls(db: Database) -> None:
    async with running(db) as stage:
        await until(lambda: stage.steps >= 3, 10, "the stage has looked again")
        assert stage.looks >= 2 * (loop.QUIET_POLLS - 1)
