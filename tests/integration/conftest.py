"""A running API over a fresh database, once for each kind of database."""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from telealarm.api.public.probes import Health
from telealarm.config.model import Config
from telealarm.models import User
from telealarm.store.access import passwords
from telealarm.store.engine.database import Database
from telealarm.store.open import open_database
from tests.integration.api_client import PASSWORD, Api, serving
from tests.integration.import_book import book as book
from tests.integration.import_book import clock as clock
from tests.lab.key import key_file
from tests.lab.postgres import Postgres


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database that is migrated and holds nothing, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "telealarm.db"
    open_database(Config(database=f"sqlite:///{path}", key_file=key_file()))
    return path


@pytest.fixture(scope="session")
def migrated_url(postgres: Postgres) -> str:
    """The same in PostgreSQL."""
    url = postgres.new_database()
    open_database(Config(database=url, key_file=key_file()))
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Config]:
    """A configuration that names a fresh database."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            database = f"sqlite:///{tmp_path}/telealarm.db"
            shutil.copy(request.getfixturevalue("migrated_file"), tmp_path)
        else:
            server: Postgres = request.getfixturevalue("postgres")
            template = request.getfixturevalue("migrated_url")
            if request.node.get_closest_marker("fresh"):
                database = server.new_database(like=template)
            else:
                database = stack.enter_context(server.lent(template))
        yield Config(
            database=database, key_file=key_file(), timezone="Europe/Madrid", base=tmp_path
        )


@pytest.fixture
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that are made and checked fast, unlike those of real passwords."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", quick)


@pytest.fixture
async def db(config: Config, quick_passwords: None) -> AsyncIterator[Database]:
    """A migrated database with a superuser, `root`, and two managers, `manager` and `other`."""
    database = open_database(config)
    database.start()

    password_hash = passwords.hashed(PASSWORD)

    def populate() -> None:
        for name in ("root", "manager", "other"):
            User.create(username=name, password_hash=password_hash, is_superuser=name == "root")

    try:
        await database.write(populate)
        yield database
    finally:
        await database.close()


@pytest.fixture
async def api(config: Config, db: Database, tmp_path: Path) -> AsyncIterator[Api]:
    """The API, served on 127.0.0.1."""
    async with serving(db, config, tmp_path / "prompts", Health({"asterisk": "ok"}, {})) as served:
        yield served
