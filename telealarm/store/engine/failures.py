"""Why a database failed: the errors of both kinds of database, as types with a sentence."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import peewee

from telealarm.errors import DiskFailed, DiskFull, Locked, StorageError

# What a connection raises if the database itself fails, not the query.
FAILURES = (peewee.OperationalError, peewee.InterfaceError)
# A disk with less room than this counts as full: SQLite itself needs some pages.
FULL_BYTES = 256 * 1024

_FULL = {sqlite3.SQLITE_FULL}
_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
# On a full disk SQLite may say these too: it could not make its files.
_FAILED = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}
_DISK_ERRNOS = {errno.ENOSPC, errno.EDQUOT}
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_PG_DISK_FULL, _PG_IO_ERROR, _PG_READ_ONLY = "53100", "58030", "25006"


def of(error: BaseException, what: str, file: Path | None) -> StorageError:
    """Return the error for waiters: its type says the cause. `what` begins its text.

    `file` is the database, if it is a file. A rollback that failed too hides no cause.
    """
    kind = StorageError
    for inner in _chain(error):
        found = _kind(inner, file)
        if found is not None:
            kind = found
            break
    summary = kind.summary.replace("FILE", str(file))
    failure = kind(f"{what}: {summary}{_sentence(error)}")
    failure.__cause__ = error
    return failure


def _kind(error: BaseException, file: Path | None) -> type[StorageError] | None:
    if code := getattr(error, "sqlstate", None):  # psycopg's, which is not loaded for SQLite
        return {
            _PG_DISK_FULL: DiskFull,
            _PG_IO_ERROR: DiskFailed,
            _PG_READ_ONLY: DiskFailed,
        }.get(code)
    if isinstance(error, OSError):
        return DiskFull if error.errno in _DISK_ERRNOS else None
    if not isinstance(error, sqlite3.Error):
        return None
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _FULL or (code in _FAILED and file is not None and _is_full(file)):
        return DiskFull
    if code in _LOCKED:
        return Locked
    return DiskFailed if code in _FAILED else None


def _is_full(file: Path) -> bool:
    """Return whether the disk of a file has no room left."""
    try:
        disk = os.statvfs(file.parent)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < FULL_BYTES or (disk.f_files > 0 and disk.f_favail == 0)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that led to it, each once."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        # peewee's errors hold the one of the driver as `orig`.
        inner = (one.__cause__, one.__context__, getattr(one, "orig", None))
        waiting += [each for each in inner if isinstance(each, BaseException)]


def _sentence(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
