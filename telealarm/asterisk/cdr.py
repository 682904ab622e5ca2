"""The durable call detail records: how a channel ended that no longer exists.

`asterisk.cdr` names Asterisk's own CSV file (cdr_csv's Master.csv with loguniqueid=yes) or a table
(cdr_pgsql, cdr_sqlite3_custom) as `postgresql://user:password@host/name?table=cdr` or
`sqlite:////path?table=cdr`. The table has the columns of cdr_pgsql: uniqueid, disposition, billsec,
lastapp.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import peewee
from playhouse.db_url import parse

from telealarm.errors import TeleAlarmError

# cdr_csv.c, with loguniqueid=yes.
_COLUMNS = 17
_LAST_APP, _DISPOSITION, _BILLSEC, _UNIQUEID = 7, 14, 13, 16

_CHUNK = 1 << 20
# Calls from before a crash are near the end of the file. Reading never goes further back than this.
_REACH = 256 << 20


class CdrError(TeleAlarmError):
    """The call detail records cannot be read."""

    code = "cdr"


@dataclass(frozen=True)
class Cdr:
    """A record: Asterisk's disposition (`ANSWERED`, `NO ANSWER`, ...) and the seconds answered.

    `last_app`: the dialplan application that ran last; empty if the table does not have it.
    """

    disposition: str
    billed_seconds: int
    last_app: str = field(default="", compare=False)


def find(source: str, unique_id: str) -> Cdr | None:
    """Return the latest record of the channel `unique_id`, or None. It blocks: use a thread.

    Raises CdrError with what to change if the source cannot be read.
    """
    try:
        if "://" in source:
            return _in_table(source, unique_id)
        return _in_file(Path(source), unique_id)
    except FileNotFoundError:
        return None  # Asterisk makes it with the first call
    except OSError as error:
        raise CdrError(
            f"asterisk.cdr: {source} cannot be read ({error.strerror}); let this user read it"
        ) from error
    except peewee.PeeweeException as error:
        raise CdrError(f"asterisk.cdr: the table cannot be read: {error}") from error


def _in_file(path: Path, unique_id: str) -> Cdr | None:
    for line in _backwards(path, unique_id.encode()):
        row = next(csv.reader(io.StringIO(line)), [])
        if len(row) >= _COLUMNS and row[_UNIQUEID] == unique_id:
            return Cdr(row[_DISPOSITION], _number(row[_BILLSEC]), row[_LAST_APP])
    return None


def _backwards(path: Path, wanted: bytes) -> Iterator[str]:
    """Yield the lines that contain `wanted`, from the last to the first."""
    with path.open("rb") as file:
        end = file.seek(0, io.SEEK_END)
        oldest = max(0, end - _REACH)
        rest = b""
        while end > oldest:
            start = max(oldest, end - _CHUNK)
            file.seek(start)
            block = file.read(end - start) + rest
            lines = block.split(b"\n")
            # The first line may begin in the block before.
            rest = lines.pop(0) if start > oldest else b""
            for line in reversed(lines):
                if wanted in line:
                    yield line.decode(errors="replace")
            end = start


def _in_table(url: str, unique_id: str) -> Cdr | None:
    options = parse(url, unquote_password=True, unquote_user=True)
    table = str(options.pop("table", "cdr"))
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", table):
        raise CdrError(f"asterisk.cdr: {table!r} is no table's name")
    if urlsplit(url).scheme == "sqlite":
        database: peewee.Database = peewee.SqliteDatabase("/" + options["database"].lstrip("/"))
    else:
        database = peewee.PostgresqlDatabase(**options, connect_timeout=5, prefer_psycopg3=True)
    with database.connection_context():
        cursor = database.execute_sql(
            f'SELECT * FROM "{table}" WHERE uniqueid = {database.param} ORDER BY billsec',
            (unique_id,),
        )
        names = [str(column[0]).lower() for column in cursor.description]
        rows = cursor.fetchall()
    if not rows:
        return None
    last = dict(zip(names, map(str, rows[-1]), strict=True))
    return Cdr(last["disposition"], _number(last["billsec"]), last.get("lastapp", ""))


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
