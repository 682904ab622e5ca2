"""A full disk and a held lock: the cause is named wherever somebody looks, and nothing is lost."""

import asyncio
import shutil
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import peewee
import psycopg
import pytest
import pytest_asyncio

from telealarm.config.model import Config
from telealarm.errors import DiskFailed, DiskFull, Locked, StorageError
from telealarm.models import User
from telealarm.store.engine import failures
from telealarm.store.open import open_database
from tests.integration.test_cli import Running, telealarm, write
from tests.lab.postgres import USER, Postgres, running
from tests.lab.small_disk import SmallDisk, mounted
from tests.lab.waiting import until

LOGIN = ("checker", "a long secret")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with mounted(tmp_path / "disk", 16_384) as disk:
        yield disk


@pytest_asyncio.fixture
async def service(disk: SmallDisk) -> AsyncIterator[Running]:
    """A service whose database, prompts and recordings are on the small disk."""
    config = write(disk.folder, recordings={"folder": "recordings"})
    # The log of the process is not on that disk.
    running = Running(config, disk.folder.parent, log=disk.folder.parent / "serve.log")
    try:
        await running.up()
        await running.check("database")
        yield running
    finally:
        await running.child.terminate(10)


@contextmanager
def full(disk: SmallDisk) -> Iterator[None]:
    disk.fill()
    try:
        yield
    finally:
        disk.free()


@contextmanager
def locked(disk: SmallDisk) -> Iterator[None]:
    with closing(sqlite3.connect(disk.folder / "data/telealarm.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.rollback()


async def post(running: Running, name: str) -> tuple[int, Any]:
    """A write of a client: a gateway."""
    body = {"name": name, "gateways": "PJSIP/{number}@trunk"}
    headers = {"Authorization": aiohttp.encode_basic_auth(*LOGIN)}
    address = f"{running.url}/rest-api/gateway/"
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.post(address, json=body) as reply,
    ):
        return reply.status, await reply.json()


async def metric(running: Running, line: str) -> float:
    async with aiohttp.ClientSession() as http, http.get(f"{running.url}/metrics") as reply:
        lines = (await reply.text()).splitlines()
    return next((float(each.split()[-1]) for each in lines if each.startswith(line)), 0.0)


@pytest.mark.parametrize(
    ("way", "cause", "words", "told"),
    [
        (full, "disk_full", "The disk of the service is full", "its disk is full; free some room"),
        (
            locked,
            "locked",
            "Another process keeps the database locked",
            "another process keeps it locked",
        ),
    ],
)
async def test_the_cause_is_named_and_all_goes_on_afterwards(
    service: Running,
    disk: SmallDisk,
    way: Any,
    cause: str,
    words: str,
    told: str,
) -> None:
    block: AbstractContextManager[None] = way(disk)
    with block:
        started = time.monotonic()
        status, body = await post(service, "one")
        assert (status, body["detail"].partition(";")[0]) == (503, words)
        assert time.monotonic() - started < 30

        async def named() -> bool:
            return told in await service.check("database")

        await until(named, 20, lambda: f"/readyz names it; {service.log.read_text()}")
        assert await metric(service, f'telealarm_storage_failures_total{{cause="{cause}"}}') > 0
        add = ("user", "add", "ann", "--password-stdin", "--config", str(service.config))
        done = await asyncio.to_thread(telealarm, *add, stdin="a long secret")
        assert done.returncode == 1
        assert told in done.stderr
        assert "Traceback" not in done.stderr
        check = ("check-config", "--config", str(service.config))
        done = await asyncio.to_thread(telealarm, *check)
        assert done.returncode == 1
        assert ("wrong: database: " if way is full else told) in done.stderr
        if way is full:
            folders = [await service.check(name) for name in ("prompts", "recordings")]
            assert all("the disk is full; free some room" in folder for folder in folders)
            assert "only 0 MB are free" in await service.check("disk")
    status, body = await post(service, "one")
    assert status == 201, body

    async def well() -> bool:
        return await service.check("database") == "ok"

    await until(well, 20, "/readyz is green again")
    log = service.log.read_text()
    assert told in log
    assert "Traceback" not in log
    # Each stage tells the cause once, however often it tries.
    assert max(map(log.count, set(log_texts(log)))) <= 3, log


def log_texts(log: str) -> list[str]:
    """The errors without their time."""
    return [line.partition(" ERROR ")[2] for line in log.splitlines() if " ERROR " in line]


async def test_room_is_watched_before_it_ends(disk: SmallDisk) -> None:
    config = write(disk.folder, recordings={"folder": "recordings"})
    done = await asyncio.to_thread(telealarm, "check-config", "--config", str(config))
    assert "MB are free (disk.warn_megabytes: 500); free some room" in done.stdout
    quiet = write(disk.folder, disk={"warn_megabytes": 10}, recordings={"folder": "recordings"})
    done = await asyncio.to_thread(telealarm, "check-config", "--config", str(quiet))
    assert "MB are free" not in done.stdout


# The errors of the drivers


@pytest.fixture
def tablespace() -> Iterator[SmallDisk]:
    """A small disk that belongs to PostgreSQL. Its user reaches no folder of pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="telealarm-tablespace-"))
    with mounted(folder, 24_576) as disk:
        shutil.chown(folder, USER, USER)
        yield disk
    folder.rmdir()


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with running() as server:
        yield server


async def test_a_full_disk_of_postgresql_is_named_and_writing_goes_on(
    server: Postgres, tablespace: SmallDisk
) -> None:
    """PostgreSQL says 53100."""
    url = server.new_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE TABLESPACE small LOCATION '{tablespace.folder}'")
        connection.execute("CREATE DATABASE full_disk TABLESPACE small")
    db = open_database(Config(database=url.rpartition("/")[0] + "/full_disk"))
    db.start()
    try:
        tablespace.fill()
        with pytest.raises(DiskFull, match="its disk is full"):
            for batch in range(1000):
                await db.write(_many_users, batch)
        assert isinstance(db.trouble, DiskFull)
        kept = await db.read(User.select().count)
        tablespace.free()
        await db.write(_many_users, 1000)
        assert await db.read(User.select().count) == kept + 100
        assert db.trouble is None
    finally:
        await db.close()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP DATABASE full_disk WITH (FORCE)")
            connection.execute("DROP TABLESPACE small")


def _many_users(batch: int) -> None:
    rows = [{"username": f"{batch}-{number}", "password_hash": "x" * 200} for number in range(100)]
    User.insert_many(rows).execute()


def _raised(code: int) -> peewee.OperationalError:
    inner = sqlite3.OperationalError("said by SQLite")
    inner.sqlite_errorcode = code
    return peewee.OperationalError(inner, "said by SQLite")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_FULL, DiskFull),
        (sqlite3.SQLITE_BUSY, Locked),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, Locked),
        (sqlite3.SQLITE_IOERR_WRITE, DiskFailed),
        (sqlite3.SQLITE_READONLY, DiskFailed),
        (sqlite3.SQLITE_ERROR, StorageError),
    ],
)
def test_what_sqlite_says(tmp_path: Path, code: int, kind: type[StorageError]) -> None:
    failure = failures.of(_raised(code), "The database did not commit", tmp_path / "file.db")
    assert type(failure) is kind
    assert "said by SQLite" in str(failure)


def test_an_error_on_a_disk_without_room_is_a_full_disk(disk: SmallDisk) -> None:
    """SQLite says "disk I/O error" if it cannot extend its shared memory."""
    disk.fill()
    error = _raised(sqlite3.SQLITE_IOERR_SHMSIZE)
    assert type(failures.of(error, "The database", disk.folder / "file.db")) is DiskFull


def test_a_rollback_that_fails_too_hides_no_cause(tmp_path: Path) -> None:
    try:
        try:
            raise _raised(sqlite3.SQLITE_FULL)
        finally:
            raise peewee.OperationalError("cannot rollback - no transaction is active")
    except peewee.OperationalError as error:
        assert type(failures.of(error, "The database", tmp_path / "file.db")) is DiskFull
