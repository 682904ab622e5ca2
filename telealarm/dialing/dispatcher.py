"""The dispatcher of calls: claims requests, and runs a supervisor for each call.

While Asterisk is down, only requests by SMS and mail are claimed. After each connect the calls in
flight are compared with the channels that exist. Calls of an earlier run or of a dead worker are
adopted.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from telealarm.asterisk.ari import Client
from telealarm.clock import monotonic, utcnow
from telealarm.dialing.call import CallServices, CallSupervisor
from telealarm.dialing.pacer import Pacer
from telealarm.errors import TeleAlarmError
from telealarm.log import by_ids
from telealarm.store.alarms import attempts
from telealarm.store.dialing import calls, concurrency
from telealarm.store.dialing.admission import Admission
from telealarm.store.dialing.calls import Call
from telealarm.store.engine.claim import Holder
from telealarm.store.engine.loop import run_stage

log = logging.getLogger(__name__)

# The most calls of one worker in flight, and the most requests claimed at a time.
MAX_CALLS = 1000
BATCH = 50
# How often to look for calls in flight without a supervisor, after a supervisor failed.
ADOPT_SECONDS = 15.0


class CallDispatcher:
    """Claims requests, places their calls, and adopts calls that lost their worker."""

    def __init__(
        self, *, ari: Client, holder: Holder, admission: Admission, services: CallServices
    ) -> None:
        self._ari = ari
        self._holder = holder
        self._admission = admission
        self._services = services
        self._db = services.db
        self._pacer = Pacer(services.db)
        self._supervisors: dict[int, CallSupervisor] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._draining = False
        self._adopt_next = 0.0
        # Claiming a call and starting its supervisor is one step. Otherwise `adopt` could take the
        # call in between.
        self._claiming = asyncio.Lock()
        # Set while every call in flight has had its supervisor since the last connect.
        self.reconciled = asyncio.Event()
        ari.on_connected(self.reconcile)

    async def run(self) -> None:
        """Dial until cancelled."""
        await run_stage(self._db, "dialing", self.step, log)

    async def step(self) -> datetime | None:
        """Place the calls that may be placed now. Return when the next request is due."""
        if self._draining:
            return None
        room = MAX_CALLS - len(self._supervisors)
        calls_too = self._ari.connected and room > 0
        if calls_too and monotonic() >= self._adopt_next:
            await self.adopt()
        now = utcnow()
        limit = min(room, BATCH) if calls_too else BATCH
        async with self._claiming:
            claimed = await self._db.write(self._admission.claim, now, limit, calls_too=calls_too)
            for call in claimed.calls:
                self._begin(call, CallSupervisor.place)
        await self._withdraw()
        if claimed.more:
            return now
        due = await self._db.query(attempts.next_due, now)
        if claimed.again is None:
            return due
        slots = utcnow() + timedelta(seconds=claimed.again - monotonic())
        return slots if due is None else min(due, slots)

    async def receive(self, admit: Callable[[], Call | None]) -> Call | None:
        """Follow an inbound caller, if `admit` creates a call for the channel."""
        async with self._claiming:
            call = await self._db.write(admit)
            if call is not None:
                self._begin(call, CallSupervisor.receive)
            return call

    async def _withdraw(self) -> None:
        """Hang up the calls whose alarms were called off."""
        for call_id in await self._db.query(calls.withdrawn, self._holder):
            if call_id in self._supervisors:
                self._supervisors[call_id].withdraw()

    async def reconcile(self) -> None:
        """Check each call in flight after a connect, and adopt calls without a supervisor."""
        self.reconciled.clear()
        for supervisor in self._supervisors.values():
            supervisor.events_lost()
        await self.adopt()
        self.reconciled.set()
        self._db.stage("dialing").set()

    async def drain(self, seconds: float) -> None:
        """Place no more calls, and give those in flight some `seconds` to end.

        The rest stays in Asterisk, and the next run adopts it.
        """
        self._draining = True
        if self._tasks:
            log.info("waiting for %d calls to end", len(self._tasks))
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def adopt(self) -> None:
        """Supervise the calls in flight that have no supervisor. Put back calls never placed."""
        self._adopt_next = monotonic() + ADOPT_SECONDS
        async with self._claiming:
            await self._db.write(calls.forgotten, self._holder, set(self._supervisors))
            await self._db.write(concurrency.release_all)
            for call in await self._db.write(calls.in_flight, self._holder):
                if call.id not in self._supervisors:
                    self._begin(call, CallSupervisor.adopt)

    def _begin(self, call: Call, run: Callable[[CallSupervisor], Awaitable[None]]) -> None:
        supervisor = CallSupervisor(call, self._ari, self._services, self._pacer)
        self._supervisors[call.id] = supervisor
        task = asyncio.create_task(self._supervise(supervisor, run), name=f"call-{call.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _supervise(
        self, supervisor: CallSupervisor, run: Callable[[CallSupervisor], Awaitable[None]]
    ) -> None:
        call = supervisor.call
        ids = by_ids(log, alarm=call.alarm_id, request=call.request_id, channel=call.channel_id)
        try:
            await run(supervisor)
        except TeleAlarmError as error:
            ids.error("%s; the call is checked again soon", error)
        except Exception:  # noqa: BLE001 - logged, and the call is adopted again
            ids.exception("the supervisor failed; the call is checked again soon")
        finally:
            del self._supervisors[call.id]
            self._db.stage("dialing").set()
