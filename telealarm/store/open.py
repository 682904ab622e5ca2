"""Open a database. The first command that opens it also creates and migrates it."""

import logging
import secrets
from pathlib import Path

import peewee
from playhouse.migrations import Runner

from telealarm.config.model import Config
from telealarm.errors import StorageError
from telealarm.models import Installation
from telealarm.store import encrypt, stored_numbers
from telealarm.store.access import limits
from telealarm.store.alarms import distance
from telealarm.store.calendars import recurrence_rules
from telealarm.store.engine import dialect, failures, keys
from telealarm.store.engine.database import Database, connect

log = logging.getLogger(__name__)

# After these migrations, the rows that are there are read again: that needs the configuration.
NUMBERS, WALL_CLOCK = "0003_phone_numbers", "0005_wall_clock_offset"
DIRECTORY = Path(__file__).parent.parent / "migrations"


def open_database(config: Config) -> Database:
    """Return the database, with all migrations applied.

    Raise StorageError if it cannot be opened, ConfigError if the installation's key cannot be used.
    The text of the error says what to change.
    """
    database, _ = migrated(config)
    return Database(database)


def migrated(config: Config) -> tuple[peewee.Database, list[str]]:
    """Return the database, and the names of the migrations that were applied now.

    Raises StorageError as `open_database` does.
    """
    try:
        database = connect(config)
        limits.configure(database, config.limits)
        return database, _migrate(database, config)
    except (peewee.PeeweeException, OSError) as error:
        what = f"the database {dialect.place(config)} cannot be opened"
        failure = failures.of(error, what, dialect.configured_file(config))
        if type(failure) is StorageError:
            failure = StorageError(f"{failure}; mend it, or name another under `database`")
        raise failure from error


def _migrate(database: peewee.Database, config: Config) -> list[str]:
    """Apply the missing migrations and return their names. Only one process does so at a time.

    Raises ConfigError if the installation's key is not the database's.
    """
    with database.connection_context(), dialect.migrating(database, config):
        applied = [str(name) for name in Runner(database, str(DIRECTORY)).up()]
        key = keys.configure(database, config)
        if Installation.select().where(Installation.key_check.is_null()).exists():
            with dialect.writing(database):
                encrypt.encrypt_all(database, key)
        if NUMBERS in applied:
            unread = stored_numbers.review(write=True)
            if unread:
                log.warning("%d phone numbers were not read; see `telealarm numbers`", len(unread))
        if WALL_CLOCK in applied:
            with database.atomic():
                distance.read_elapsed()
        if not Installation.select().exists():
            check = keys.check_value(key)
            Installation.create(name=secrets.token_hex(4), key_check=check)
            recurrence_rules.predefine()
    return applied
