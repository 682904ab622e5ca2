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
