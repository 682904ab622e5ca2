"""Opening a database: made and migrated by whichever command comes first."""

import secrets
from pathlib import Path

import peewee
from playhouse.migrations import Runner

from telealarm.config.model import Config
from telealarm.errors import StorageError
from telealarm.models import Installation
from telealarm.store.calendars import recurrence_rules
from telealarm.store.engine import dialect
from telealarm.store.engine.database import Database, connect

DIRECTORY = Path(__file__).parent.parent / "migrations"


def open_database(config: Config) -> Database:
    """The database, with every migration applied.

    Raises StorageError with a sentence that says what to change where it cannot be opened.
    """
    try:
        peewee_database = connect(config)
        migrate(peewee_database, config)
    except (peewee.PeeweeException, OSError) as error:
        said = " ".join(str(error).split())
        raise StorageError(
            f"the database {dialect.place(config)} cannot be opened: {said};"
            " mend it, or name another under `database`"
        ) from error
    return Database(peewee_database)


def migrate(database: peewee.Database, config: Config) -> list[str]:
    """Apply the migrations that are missing, one process at a time; returns their names."""
    with database.connection_context(), dialect.migrating(database, config):
        applied = [str(name) for name in Runner(database, str(DIRECTORY)).up()]
        if not Installation.select().exists():
            Installation.create(name=secrets.token_hex(4))
            recurrence_rules.predefine()
    return applied
