"""The service in a process of its own, and a clinic that makes appointments with it."""

import asyncio
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from benchmarks.lab import rows
from benchmarks.lab.meters import cpu_ms, threads_ms
from telealarm import models
from telealarm.config import file
from telealarm.models import Alarm, CallRequest
from telealarm.store.engine.database import Database, connect
from tests.lab import serve
from tests.lab.asterisk import Asterisk
from tests.lab.clinic import SCRIPT, Clinic
from tests.lab.processes import Child
from tests.lab.rest import JSON, Rest, number_of
from tests.lab.waiting import until

ROOT = Path(__file__).parents[2]
LOGIN = ("benchmark", "correct horse battery")
# Nothing is sent there: it is only what a clinic must name.
SMS_URL = "http://127.0.0.1:9/"
START_SECONDS = 90.0
READY_SECONDS = 60.0

T = TypeVar("T")


def as_installed() -> dict[str, str]:
    """Return an environment in which modules are compiled once, as pip does at an installation."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    cache = Path(tempfile.gettempdir(), f"benchmark-pycache-{os.getuid()}")
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(cache)}


class Serve(serve.Serve):
    """`telealarm serve`, started by variant.py, which `environment` tells what to count."""

    async def start(self) -> None:
        argv: list[str | Path] = [sys.executable, "-m", "benchmarks.lab.variant", "serve"]
        environment = {**as_installed(), **self.environment}
        self._child = Child(
            [*argv, "--config", self.config], self.log, cwd=self.folder, env=environment
        )
        async with asyncio.timeout(START_SECONDS), aiohttp.ClientSession() as http:
            while not await self._healthy(http):
                if not self._child.running:
                    raise RuntimeError(f"telealarm serve ended:\n{self.tail()}")
                await asyncio.sleep(0.05)

    async def ready(self) -> None:
        """Return when /readyz says 200: Asterisk is connected."""
        async with aiohttp.ClientSession() as http:

            async def is_ready() -> bool:
                async with http.get(f"{self.url}/readyz") as reply:
                    return reply.status == 200

            await until(is_ready, READY_SECONDS, "the service is ready")


@dataclass(frozen=True)
class EndedCall:
    """A call as its row has it."""

    ended: datetime | None
    confirmed: bool


class Service:
    """A running service, its clinic, and a connection of our own to its database."""

    def __init__(self, process: Serve, clinic: Clinic) -> None:
        self.process = process
        self.clinic = clinic
        self._database: Database | None = None

    async def work(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Run `fn` in a transaction on the service's database, past the service."""
        return await asyncio.to_thread(self._own_database().run, fn, *args, **kwargs)

    async def look(self, fn: Callable[..., T], *args: Any) -> T:
        """Run `fn`, which only reads."""
        return await asyncio.to_thread(self._own_database().look, fn, *args)

    def _own_database(self) -> Database:
        if self._database is None:
            self._database = Database(connect(file.load(self.process.config)))
        self._database.peewee.bind(models.ALL)  # another service's may have been bound since
        return self._database

    async def fill(
        self, count: int, due: datetime, prefix: str = "1", *, own_events: bool = True
    ) -> tuple[int, int]:
        """Write `count` alarms past the API (see rows.add_alarms); return the first and last id."""
        template = await self.clinic.appointment("100000", due_in=86400, maxretry=0)
        alarm_id = number_of(template.alarm)
        return await self.work(rows.add_alarms, alarm_id, count, due, prefix, own_events=own_events)

    async def settled(self, first: int, last: int, seconds: float) -> list[EndedCall]:
        """Wait until the calls of these alarms are settled, at most `seconds`; return them."""
        deadline = time.monotonic() + seconds
        while await self.look(_count_settled, first, last) < last - first + 1:
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(0.5)
        return await self.look(_settled_calls, first, last)

    async def warm_up(self, calls: int = 2, prefix: str = "77") -> None:
        """Make a few calls, so that prompts are rendered and nothing is done for the first time."""
        first, last = await self.fill(calls, in_seconds(2), prefix)
        await self.settled(first, last, 30)

    async def limit(self, calls_per_second: float) -> None:
        """Set the cap of the clinic's trunk; 0 is no cap."""
        gateway = (await self.clinic.rest.results("gateway/"))[0]
        await self.clinic.rest.patch(gateway["url"], {"calls_per_second": calls_per_second})


def _settled(first: int, last: int) -> Any:
    return CallRequest.alarm.between(first, last) & CallRequest.settled.is_null(False)


def _count_settled(first: int, last: int) -> int:
    return int(CallRequest.select().where(_settled(first, last)).count())


def _settled_calls(first: int, last: int) -> list[EndedCall]:
    query = CallRequest.select(CallRequest.ended, Alarm.result).join(Alarm)
    calls = query.where(_settled(first, last)).tuples()
    return [EndedCall(ended, result == 1) for ended, result in calls]


def in_seconds(seconds: float) -> datetime:
    """Return the moment that is so many seconds ahead."""
    return datetime.fromtimestamp(time.time() + seconds, UTC)


async def open_service(
    stack: contextlib.AsyncExitStack,
    asterisk: Asterisk,
    *,
    database: str | None = None,
    environment: dict[str, str] | None = None,
    settings: JSON | None = None,
    worker: str = "lab",
    script: str = SCRIPT,
    **clinic_options: Any,
) -> Service:
    """Start a service, and open a clinic with the options of Clinic.open. `stack` ends both."""
    process = Serve(asterisk, database=database, settings=settings, worker=worker)
    process.environment = dict(environment or {})
    stack.push_async_callback(process.stop)
    await process.user_add(*LOGIN)
    await process.start()
    await process.ready()
    clinic = Clinic(await stack.enter_async_context(Rest(process.url, *LOGIN)))
    await clinic.open(sms_url=SMS_URL, script=script, **clinic_options)
    return Service(process, clinic)


class ServiceMeter:
    """The CPU time of a service since `start`, in all and by thread."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._total = cpu_ms(pid)
        self._threads = threads_ms(pid)

    def total_ms(self) -> float:
        return cpu_ms(self._pid) - self._total

    def threads_ms(self, calls: int) -> dict[str, float]:
        """Return the milliseconds a call of each thread that spent at least 0.05."""
        now = threads_ms(self._pid)
        spent = {name: (ms - self._threads.get(name, 0)) / calls for name, ms in now.items()}
        return {name: round(ms, 2) for name, ms in spent.items() if ms > 0.05}
