"""TeleAlarm itself, as an operator runs it: `telealarm serve` in a process of its own."""

import asyncio
import copy
import os
import secrets
import shutil
import signal
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import yaml

from tests.lab import command, speed
from tests.lab.asterisk import Asterisk
from tests.lab.key import key_file
from tests.lab.ports import HOST, free_tcp_port
from tests.lab.processes import Child
from tests.lab.rest import Rest

START_SECONDS = 30.0


class Serve:
    """One TeleAlarm on a free port of 127.0.0.1, with a database of its own.

    `settings` are added to the configuration, section by section, and win over what stands here.
    """

    def __init__(
        self,
        asterisk: Asterisk,
        *,
        database: str | None = None,
        worker: str = "lab",
        settings: dict[str, Any] | None = None,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="telealarm-serve-"))
        self.port = free_tcp_port()
        self.url = f"http://{HOST}:{self.port}"
        self.config = self.folder / "telealarm.yml"
        self.log = self.folder / "telealarm.log"
        # What its process finds in the environment beside what this one has.
        self.environment: dict[str, str] = {}
        self._child: Child | None = None
        parts: dict[str, Any] = {
            "database": database or f"sqlite:///{self.folder / 'telealarm.db'}",
            "key_file": key_file(),
            "api": {"host": HOST, "port": self.port},
            "asterisk": {
                "ari": {
                    "url": asterisk.ari_url,
                    "user": asterisk.ari_user,
                    "password": asterisk.ari_password,
                },
                "trunks": [asterisk.trunk],
                "cdr": str(asterisk.cdr_csv),
            },
            "prompts": {"folder": str(asterisk.prompts_dir)},
            "worker": {"name": worker},
        }
        self._configure(_merged(parts, settings or {}))

    def _configure(self, parts: dict[str, Any]) -> None:
        self._parts = parts
        self.config.write_text(yaml.safe_dump(parts))
        self.config.chmod(0o600)

    def twin(self, worker: str) -> "Serve":
        """Another worker on the same database and Asterisk, not yet started."""
        other = copy.copy(self)
        other._child = None
        other.folder = Path(tempfile.mkdtemp(prefix="telealarm-serve-"))
        other.port = free_tcp_port()
        other.url = f"http://{HOST}:{other.port}"
        other.config = other.folder / "telealarm.yml"
        other.log = other.folder / "telealarm.log"
        own = {"api": {"port": other.port}, "worker": {"name": worker}}
        other._configure(_merged(self._parts, own))
        return other

    def rest(self, user: str, password: str) -> Rest:
        """A client of this worker's API."""
        return Rest(self.url, user, password)

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.running

    @property
    def pid(self) -> int:
        assert self._child, "TeleAlarm is not started"
        return self._child.pid

    async def start(self) -> None:
        """Start, and return when /healthz says 200. RuntimeError with the last lines if not."""
        argv: list[str | Path] = [
            sys.executable,
            "-m",
            "telealarm",
            "serve",
            "--config",
            self.config,
        ]
        environment = {**os.environ, **self.environment}
        self._child = Child(argv, self.log, cwd=self.folder, env=environment)
        try:
            allowed = speed.limit(START_SECONDS)
            async with asyncio.timeout(allowed), aiohttp.ClientSession() as http:
                while not await self._healthy(http):
                    if not self._child.running:
                        raise RuntimeError(f"telealarm serve ended:\n{self.tail()}")
                    await asyncio.sleep(0.05)
        except TimeoutError:
            await self._child.kill()
            message = f"telealarm serve is not healthy; {speed.account()}:\n{self.tail()}"
            raise RuntimeError(message) from None

    async def terminate(self) -> int:
        """Ask it to end, as systemd does; its exit status."""
        return await self._child.terminate(30) if self._child else 0

    async def kill9(self) -> None:
        """End it as a crash would."""
        if self._child:
            await self._child.kill()

    def freeze(self) -> None:
        """Stop it without closing its connections, as a machine that hangs."""
        if self._child:
            self._child.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        if self._child:
            self._child.signal(signal.SIGCONT)

    async def restart(self) -> None:
        """End it, if it still runs, and start it on the same database and port."""
        await self.terminate()
        await self.start()

    async def stop(self) -> None:
        """End it and remove its folder; calls that are still up are not waited for."""
        if self._child:
            await self._child.terminate(3)
        shutil.rmtree(self.folder, ignore_errors=True)

    async def user_add(self, name: str, password: str, *, superuser: bool = True) -> None:
        """Make a login by the command line."""
        flags = ["--superuser"] if superuser else []
        await self.command("user", "add", name, *flags, "--password-stdin", stdin=password)

    async def command(self, *words: str, stdin: str = "") -> str:
        """What `telealarm WORDS --config FILE` prints. RuntimeError when it fails."""
        done = await asyncio.to_thread(
            command.run, *words, "--config", self.config, stdin=stdin, cwd=self.folder
        )
        if done.returncode != 0:
            raise RuntimeError(f"telealarm {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def tail(self, lines: int = 40) -> str:
        """The last lines of its log."""
        return self._child.tail(lines) if self._child else ""

    async def _healthy(self, http: aiohttp.ClientSession) -> bool:
        try:
            async with http.get(f"{self.url}/healthz") as reply:
                return reply.status == 200
        except (OSError, aiohttp.ClientError):
            return False


def add_login(database: str, name: str, password: str) -> None:
    """Make the database at this address, with the login of a superuser, by the command line."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "telealarm.yml"
        parts = {
            "database": database,
            "key_file": key_file(),
            "asterisk": {"ari": {"password": "none"}},
        }
        config.write_text(yaml.safe_dump(parts))
        words = ("user", "add", name, "--superuser", "--password-stdin", "--config", config)
        done = command.run(*words, stdin=password, cwd=Path(folder))
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"


def renew_installation(database: str) -> None:
    """Give a copy of a database a name of its own, so that its calls are not those of another copy.

    The name is part of every channel id, by which a call detail record is found.
    """
    name, path = secrets.token_hex(4), database.removeprefix("sqlite:///")
    if path != database:
        with closing(sqlite3.connect(path)) as file:
            file.execute("UPDATE installation SET name = ?", (name,))
            file.commit()
    else:
        with psycopg.connect(database) as connection:
            connection.execute("UPDATE installation SET name = %s", (name,))


def _merged(parts: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    merged = dict(parts)
    for name, value in settings.items():
        old = merged.get(name)
        if isinstance(old, dict) and isinstance(value, dict):
            value = _merged(old, value)
        merged[name] = value
    return merged
