"""The differences between SQLite and PostgreSQL. No other module asks which database it uses.

SQLite has one writer at a time, on one machine. Within a write there is nothing left to lock, so
the locks of this module do nothing there. On PostgreSQL they hold until the transaction ends.
"""

import fcntl
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeGuard, TypeVar
from urllib.parse import urlsplit

import peewee
from playhouse.db_url import parse

from telealarm.clock import utcnow
from telealarm.config.model import Config

Query = TypeVar("Query", bound="peewee.ModelSelect[Any]")

# How long an SQLite file that another process has locked is waited for. A client of the API waits
# for two batches of writes at most, and is to get its reply within 30 seconds.
LOCK_SECONDS = 8
# The number of PostgreSQL's advisory lock for migrations: any fixed number.
_MIGRATING = 7_135_711
# A database of SQLite that is written anew within a second: other writes wait meanwhile.
_SMALL_BYTES = 50_000_000


def connect(config: Config) -> peewee.Database:
    """Return a peewee database for the configuration. Nothing is opened yet.

    A query on a thread that did not connect fails: it would block that thread, often the event
    loop's, and nobody would close its connection.
    """
    path = config.sqlite_path
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        return peewee.SqliteDatabase(
            str(path),
            timeout=LOCK_SECONDS,
            autoconnect=False,
            # What is deleted or replaced is overwritten in the file, so that erased means gone.
            pragmas={
                "journal_mode": "wal",
                "synchronous": "full",
                "foreign_keys": 1,
                "secure_delete": 1,
            },
        )
    options = parse(config.database, unquote_password=True, unquote_user=True)
    # A broken connection is detected, and no statement waits for ever.
    options.setdefault("connect_timeout", 5)
    options.setdefault("keepalives_idle", 5)
    options.setdefault("keepalives_interval", 2)
    options.setdefault("keepalives_count", 3)
    options.setdefault("tcp_user_timeout", 10_000)
    options.setdefault("options", "-c statement_timeout=30000 -c lock_timeout=15000 -c jit=off")
    return peewee.PostgresqlDatabase(**options, autoconnect=False, prefer_psycopg3=True)


def descriptor(database: peewee.Database) -> int | None:
    """Return the file descriptor of this thread's connection; None if it is not to a server."""
    if not _is_postgresql(database):
        return None
    return int(database.connection().fileno())


def is_broken(database: peewee.Database) -> bool:
    """Return whether this thread's connection was lost, for example by a restart of the server."""
    return _is_postgresql(database) and not database.is_closed() and database.connection().closed


def file(database: peewee.Database) -> Path | None:
    """Return the file of the database; None if it is on a server."""
    return None if _is_postgresql(database) else Path(str(database.database))


def stamps(file: Path | None) -> Sequence[tuple[int, int]] | None:
    """Return a value that is another one after a commit of any process to the file.

    None if there is no file, or it cannot be asked: then nobody knows. Commits are in the
    write-ahead log until a checkpoint.
    """
    if file is None:
        return None
    try:
        stats = [file.stat(), file.with_name(f"{file.name}-wal").stat()]
    except OSError:
        return None
    return [(stat.st_mtime_ns, stat.st_size) for stat in stats]


def configured_file(config: Config) -> Path | None:
    """Return the file of the configured database; None if it is on a server."""
    return config.sqlite_path


def place(config: Config) -> str:
    """Return the database for messages: its file, or its host and name, never its password."""
    if config.sqlite_path is not None:
        return str(config.sqlite_path)
    parts = urlsplit(config.database)
    return f"{parts.hostname or 'localhost'}:{parts.port or 5432}{parts.path}"


def has_notify(database: peewee.Database) -> TypeGuard[peewee.PostgresqlDatabase]:
    """Return whether a commit can wake other processes, by LISTEN and NOTIFY."""
    return _is_postgresql(database)


def locks_rows(database: peewee.Database) -> bool:
    """Return whether a write locks single rows, for which other writes wait until its commit."""
    return _is_postgresql(database)


def writing(database: peewee.Database) -> Any:
    """Return a transaction that writes, as a context manager."""
    if _is_postgresql(database):
        return database.atomic()
    # Take SQLite's write lock at once: upgrading a read lock later can deadlock.
    return database.atomic("IMMEDIATE")


@contextmanager
def migrating(database: peewee.Database, config: Config) -> Iterator[None]:
    """Hold the lock for migrations. Waits while another process holds it."""
    path = config.sqlite_path
    if path is None:
        database.execute_sql("SELECT pg_advisory_lock(%s)", (_MIGRATING,))
        # A statement for a million rows takes longer than any other statement may.
        database.execute_sql("SET statement_timeout = 0")
        try:
            yield
        finally:
            database.execute_sql("RESET statement_timeout")
            database.execute_sql("SELECT pg_advisory_unlock(%s)", (_MIGRATING,))
    else:
        with path.with_name(path.name + ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def rewrite(database: peewee.Database) -> bool:
    """Write a small SQLite database anew. Return whether no deleted content is left in it.

    An earlier version left what it deleted in free pages. PostgreSQL cleans up by itself (VACUUM).
    """
    if _is_postgresql(database):
        return True
    pages, page_bytes = (
        database.execute_sql(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size")
    )
    if pages * page_bytes > _SMALL_BYTES:
        return False
    try:
        database.execute_sql("VACUUM")
    except peewee.OperationalError:  # another process holds the database
        return False
    return True


def empty_journal(database: peewee.Database) -> bool:
    """Move SQLite's journal into the database. Return False if a reader holds the journal."""
    if _is_postgresql(database):
        return True
    try:
        return not database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except peewee.OperationalError:
        return False


def skip_locked(query: Query, *, of: Any = None) -> Query:
    """Return the query with its rows locked (those of model `of` only, if given).

    Rows that another transaction has locked are left out (FOR UPDATE SKIP LOCKED).
    """
    if not _is_postgresql(query.model._meta.database):
        return query
    return query.for_update(of=of, skip_locked=True)


def lock_rows(query: Query, strength: str, *, of: Any = None) -> Query:
    """Return the query with its rows locked, by a clause of PostgreSQL like FOR SHARE.

    `of`: only the rows of this model.
    """
    if not _is_postgresql(query.model._meta.database):
        return query
    # peewee accepts the clause itself too, but its annotations do not say so.
    return query.for_update(strength, of=of)  # type: ignore[arg-type]


def one_of(ctx: peewee.Context, column: "peewee.Field[Any]") -> tuple[str, Callable[[Any], Any]]:
    """Return the condition that a column, named before, has one of the values of a parameter.

    With it: what makes the parameter of a list of values.
    """
    if _writes_postgresql(ctx):
        return f" = ANY(%s::{_type(ctx, column)}[])", _plain
    return " IN (SELECT value FROM json_each(?))", _as_json


def table_of(
    ctx: peewee.Context, columns: "Sequence[peewee.Field[Any]]"
) -> tuple[str, Callable[[list[list[Any]]], Sequence[Any]]]:
    """Return a query for rows that are parameters, and what makes the parameters of the rows.

    PostgreSQL gets a list for each column, which says its type. SQLite gets all as one JSON text.
    """
    if _writes_postgresql(ctx):
        lists = ", ".join(f"%s::{_type(ctx, column)}[]" for column in columns)
        return f"SELECT * FROM unnest({lists})", _by_column
    values = ", ".join(_extracted(column, place) for place, column in enumerate(columns))
    # WHERE: so that ON CONFLICT after it is not read as a condition of a join.
    return f"SELECT {values} FROM json_each(?) WHERE true", lambda rows: [_as_json(rows)]


def _extracted(column: "peewee.Field[Any]", place: int) -> str:
    """Return a value of a row in JSON. Bytes are a text there, in UTF-8."""
    value = f"json_extract(value, '$[{place}]')"
    return f"CAST({value} AS BLOB)" if isinstance(column, peewee.BlobField) else value


def _writes_postgresql(ctx: peewee.Context) -> bool:
    return bool(ctx.state.param == "%s")


def _type(ctx: peewee.Context, column: "peewee.Field[Any]") -> str:
    kind = "INT" if isinstance(column, peewee.AutoField) else column.field_type
    return str(ctx.state.field_types.get(kind, kind))


def _as_json(values: Any) -> str:
    return json.dumps(values, default=_text, ensure_ascii=False)


def _text(value: Any) -> str:
    return bytes(value).decode() if isinstance(value, bytes | memoryview) else str(value)


def _by_column(rows: list[list[Any]]) -> list[list[Any]]:
    return [_plain(column) for column in zip(*rows, strict=True)]


def _plain(values: Iterable[Any]) -> list[Any]:
    """Return the values for an array, whose texts must be of one type: our words are enums."""
    return [str.__str__(value) if isinstance(value, str) else value for value in values]


def lock(database: peewee.Database, number: int) -> None:
    """Wait until no other transaction holds the lock with this number, then hold it."""
    if _is_postgresql(database):
        database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (number,))


def try_lock(database: peewee.Database, number: int) -> bool:
    """Try to hold the lock with this number (64 bits, signed). False if another has it."""
    if not _is_postgresql(database):
        return True
    cursor = database.execute_sql("SELECT pg_try_advisory_xact_lock(%s)", (number,))
    return bool(cursor.fetchone()[0])


def try_lock_name(database: peewee.Database, kind: str, name: str) -> bool:
    """Try to hold the lock with this name. False if another transaction has it."""
    if not _is_postgresql(database):
        return True
    lock = "SELECT pg_try_advisory_xact_lock(hashtext(%s), hashtext(%s))"
    return bool(database.execute_sql(lock, (kind, name)).fetchone()[0])


def shared_now(database: peewee.Database) -> datetime:
    """Return the time of the clock that all workers share, in UTC.

    That is the clock of PostgreSQL's host. With SQLite all workers are on one machine and use its
    clock.
    """
    if not _is_postgresql(database):
        return utcnow()
    now = database.execute_sql("SELECT clock_timestamp()").fetchone()[0]
    assert isinstance(now, datetime)
    return now


def _is_postgresql(database: peewee.Database) -> bool:
    return isinstance(database, peewee.PostgresqlDatabase)
