"""The dialer: claims the requests that may be dialled, and keeps a watch on every call it placed.

While Asterisk is away no call is claimed; requests by SMS and mail are. On every connect the calls
in flight are reconciled with the channels that live: those left by an earlier run, or by a worker
that died, are adopted.
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

# Calls of one worker that may be in flight at once, and how many are claimed in one go.
MAX_CALLS = 1000
CROWD = 50
# How often calls in flight are looked for that nobody watches, after the failure of a watch.
ADOPT_SECONDS = 15.0


class CallDispatcher:
    def __init__(
        self, *, ari: Client, holder: Holder, admission: Admission, wiring: CallServices
    ) -> None:
        self._ari = ari
        self._holder = holder
        self._admission = admission
        self._wiring = wiring
        self._db = wiring.db
        self._turnstile = Pacer(wiring.db)
        self._watches: dict[int, CallSupervisor] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._draining = False
        self._adopt_next = 0.0
        # A call is claimed and watched in one step, or it would look forgotten in between.
        self._taking = asyncio.Lock()
        # Since the last connect every call in flight has its watch.
        self.reconciled = asyncio.Event()
        ari.on_connected(self.reconcile)

    async def run(self) -> None:
        """Dial for ever."""
        await run_stage(self._db, "dialing", self.step, log)

    async def step(self) -> datetime | None:
        """Place what may be placed now; returns when the next request comes due."""
        if self._draining:
            return None
        room = MAX_CALLS - len(self._watches)
        calls_too = self._ari.connected and room > 0
        if calls_too and monotonic() >= self._adopt_next:
            await self.adopt()
        now = utcnow()
        limit = min(room, CROWD) if calls_too else CROWD
        async with self._taking:
            claimed = await self._db.write(self._admission.claim, now, limit, calls_too=calls_too)
            for call in claimed.calls:
                self._begin(call, CallSupervisor.place)
        await self._withdraw()
        if claimed.more:
            return now
        due = await self._db.read(attempts.next_due, now)
        if claimed.again is None:
            return due
        slots = utcnow() + timedelta(seconds=claimed.again - monotonic())
        return slots if due is None else min(due, slots)

    async def receive(self, admit: Callable[[], Call | None]) -> Call | None:
        """Follow a caller whose channel `admit` makes a call of ours, if it does."""
        async with self._taking:
            call = await self._db.write(admit)
            if call is not None:
                self._begin(call, CallSupervisor.receive)
            return call

    async def _withdraw(self) -> None:
        """Have the calls hung up whose alarms were called off."""
        for call_id in await self._db.read(calls.withdrawn, self._holder):
            if call_id in self._watches:
                self._watches[call_id].withdraw()

    async def reconcile(self) -> None:
        """After a connect: look again at each call in flight, and adopt those nobody watches."""
        self.reconciled.clear()
        for watch in self._watches.values():
            watch.events_lost()
        await self.adopt()
        self.reconciled.set()
        self._db.stage("dialing").set()

    async def drain(self, seconds: float) -> None:
        """Place nothing more, and let the calls in flight come to their end for some `seconds`.

        What still lives then is left in Asterisk, for the next run to adopt.
        """
        self._draining = True
        if self._tasks:
            log.info("waiting for %d calls to end", len(self._tasks))
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def adopt(self) -> None:
        """Watch the calls in flight that nobody watches; put back what was never placed."""
        self._adopt_next = monotonic() + ADOPT_SECONDS
        async with self._taking:
            await self._db.write(calls.forgotten, self._holder, set(self._watches))
            await self._db.write(concurrency.release_all)
            for call in await self._db.write(calls.in_flight, self._holder):
                if call.id not in self._watches:
                    self._begin(call, CallSupervisor.adopt)

    def _begin(self, call: Call, how: Callable[[CallSupervisor], Awaitable[None]]) -> None:
        watch = CallSupervisor(call, self._ari, self._wiring, self._turnstile)
        self._watches[call.id] = watch
        task = asyncio.create_task(self._watch(watch, how), name=f"call-{call.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watch(
        self, watch: CallSupervisor, how: Callable[[CallSupervisor], Awaitable[None]]
    ) -> None:
        call = watch.call
        ids = by_ids(log, alarm=call.alarm_id, request=call.request_id, channel=call.channel_id)
        try:
            await how(watch)
        except TeleAlarmError as error:
            ids.error("%s; the call is looked at again soon", error)
        except Exception:  # noqa: BLE001 - logged, and the call is adopted again
            ids.exception("the watch failed; the call is looked at again soon")
        finally:
            del self._watches[call.id]
            self._db.stage("dialing").set()
