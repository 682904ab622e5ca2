"""A PostgreSQL of its own, started for real on a free port of 127.0.0.1."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from tests.lab.ports import HOST, free_tcp_port
from tests.lab.processes import Child
from tests.lab.speed import limit

# The server refuses to run as root; Debian's package makes this user.
USER = "postgres"


class Postgres:
    """A server with a data folder of its own, from `start` to `stop`.

    `durable`: it flushes and vacuums as a default installation does, to be measured.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self._durable = durable
        self._folder = Path(tempfile.mkdtemp(prefix="telealarm-pg-"))
        self._port = free_tcp_port()
        self._password = secrets.token_hex(16)
        self._child: Child | None = None
        self._databases = 0
        self._free: list[str] = []
        self._pattern: Pattern | None = None
        self._argv: list[str | Path] = []

    @property
    def pid(self) -> int:
        """The server's process; its backends are children of it."""
        assert self._child, "PostgreSQL is not started"
        return self._child.pid

    def start(self) -> None:
        """Make the data folder and run the server. Raises AssertionError where it cannot."""
        binaries = _binaries()
        secret = self._folder / "password"
        secret.write_text(self._password)
        if os.geteuid() == 0:
            shutil.chown(self._folder, USER, USER)
            shutil.chown(secret, USER, USER)
        data = self._folder / "data"
        made = subprocess.run(
            [
                binaries / "initdb",
                f"--pgdata={data}",
                f"--username={USER}",
                "--auth=scram-sha-256",
                f"--pwfile={secret}",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ],
            capture_output=True,
            text=True,
            preexec_fn=_become,
            cwd=self._folder,
        )
        assert made.returncode == 0, f"initdb failed: {made.stderr}"
        settings: dict[str, object] = {
            "listen_addresses": HOST,
            "port": self._port,
            "unix_socket_directories": self._folder,
            "max_connections": 60,
        }
        if not self._durable:
            # What is lost in a crash of the machine is no loss here, and nobody tidies up hundreds
            # of databases that live for seconds.
            weak = ("fsync", "synchronous_commit", "full_page_writes", "autovacuum")
            for name in weak:
                settings[name] = "off"
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self._argv = [binaries / "postgres", "-D", data, *options]
        self.boot()

    def stop(self) -> None:
        """End the server and remove its data, which is not written to the disk before."""
        self._end(signal.SIGQUIT)
        shutil.rmtree(self._folder)

    def shut_down(self) -> None:
        """End the server, whoever is connected; `boot` starts it again with its data."""
        self._end(signal.SIGINT)

    def _end(self, how: signal.Signals) -> None:
        if self._child is not None:
            self.thaw()
            self._child.signal(how)
            self._child.wait_for(limit(20))
            self._child = None

    def boot(self) -> None:
        """Run the server on its data folder. Raises AssertionError where it cannot."""
        self._child = Child(self._argv, self._folder / "log", cwd=self._folder, become=_become)
        self._wait()

    def freeze(self) -> None:
        """Stop all its processes: its connections stay open, and nothing answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        """To the server and to its backends, each of which has a session of its own."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        for pid in (self.pid, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def new_database(self, like: str | None = None) -> str:
        """The address of a new database: empty, or a copy of the one at the address `like`."""
        self._databases += 1
        name = f"lab{self._databases}"
        template = like.rsplit("/", 1)[1] if like else "template1"
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self._url(name)

    @contextmanager
    def lent(self, like: str) -> Iterator[str]:
        """A database like the one at the address `like`, for the time of a block.

        The next block gets it again, emptied: that costs less than making one. It is not lent again
        if the block has changed, filled or analysed its tables, or has left a connection open.
        """
        url = self._free.pop() if self._free else self.new_database(like=like)
        yield url
        if self._pattern is None:
            self._pattern = Pattern(like)
        if self._pattern.restore(url):
            self._free.append(url)

    def _url(self, name: str) -> str:
        return f"postgresql://{USER}:{self._password}@{HOST}:{self._port}/{name}"

    def _wait(self) -> None:
        assert self._child is not None
        deadline = time.monotonic() + limit(30)
        while True:
            try:
                psycopg.connect(self._url("postgres"), connect_timeout=2).close()
                return
            except psycopg.OperationalError as error:
                alive = self._child.running and time.monotonic() < deadline
                assert alive, f"PostgreSQL does not start: {error}\n{self._child.tail()}"
                time.sleep(0.05)


class Pattern:
    """What a fresh database holds, to make used ones like it."""

    def __init__(self, url: str) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            self._tables = _tables(connection)
            names = sorted(_names(connection))
            self._rows = {
                name: connection.execute(
                    f"SELECT json_agg(t)::text FROM (SELECT * FROM {name}) AS t"
                ).fetchall()[0][0]
                for name in names
            }
            self._sequences = connection.execute(
                "SELECT sequencename, COALESCE(last_value, 1), last_value IS NOT NULL"
                " FROM pg_sequences WHERE schemaname = 'public'"
            ).fetchall()

    def restore(self, url: str) -> bool:
        """Give a database its first rows. Return whether it has the same tables, and was free."""
        try:
            with psycopg.connect(url, options="-c lock_timeout=2000") as connection:
                if _tables(connection) != self._tables:
                    return False
                connection.execute("SET session_replication_role = replica")  # no foreign keys
                used = _names(connection)
                if any(size > _LARGE for size in used.values()) or _is_analysed(connection):
                    return False
                connection.execute("; ".join(f"DELETE FROM {name}" for name in used))
                for name, rows in self._rows.items():
                    if rows is not None:
                        connection.execute(
                            f"INSERT INTO {name} SELECT * FROM"
                            f" json_populate_recordset(NULL::{name}, %s::json)",
                            [rows],
                        )
                for name, value, is_called in self._sequences:
                    connection.execute("SELECT setval(%s, %s, %s)", [name, value, is_called])
        except psycopg.OperationalError:
            return False
        return True


# What is deleted stays in a table: a large one is not used again.
_LARGE = 200_000


def _is_analysed(connection: "psycopg.Connection[Any]") -> bool:
    """Whether the planner knows what was in the tables."""
    rows = connection.execute("SELECT FROM pg_stats WHERE schemaname = 'public' LIMIT 1")
    return rows.fetchone() is not None


def _names(connection: "psycopg.Connection[Any]") -> dict[str, int]:
    """The tables, each with its size in bytes."""
    rows = connection.execute(
        "SELECT quote_ident(tablename), pg_relation_size(quote_ident(tablename)::regclass)"
        " FROM pg_tables WHERE schemaname = 'public'"
    )
    return dict(rows.fetchall())


def _tables(connection: "psycopg.Connection[Any]") -> list[tuple[str, ...]]:
    """What the columns and indexes are."""
    columns = connection.execute(
        "SELECT table_name::text, column_name::text, data_type::text, is_nullable::text"
        " FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
    ).fetchall()
    indexes = connection.execute(
        "SELECT tablename::text, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2"
    ).fetchall()
    return [*columns, *indexes]


@contextmanager
def running() -> Iterator[Postgres]:
    """A PostgreSQL for the time of a block."""
    server = Postgres()
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    assert found, "PostgreSQL is missing; apt-get install postgresql"
    return found[-1].parent


def _become() -> None:
    if os.geteuid() == 0:
        user = pwd.getpwnam(USER)
        os.initgroups(USER, user.pw_gid)
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
