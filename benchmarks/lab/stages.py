"""The stages on a database, without Asterisk, as the integration tests run them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from telealarm.config.model import Config
from telealarm.models import User
from telealarm.store.open import open_database
from tests.integration.stages import Stages
from tests.lab.key import key_file


@asynccontextmanager
async def open_stages(database: str) -> AsyncIterator[Stages]:
    """Migrate the database, and give a manager's calendar and a worker on it."""
    db = open_database(Config(database=database, key_file=key_file()))
    db.start()
    try:
        await db.write(User.create, username="manager", password_hash="-")
        yield await Stages.build(db)
    finally:
        await db.close()
