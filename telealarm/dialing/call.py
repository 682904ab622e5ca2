"""The supervisor of one call, from the originate to the end of its channel.

    place -> ringing -> answered -> session -> gone
    adopt ---^----------^

It writes each step into the call's row at once. So after a crash another worker can continue the
call from there. It does not decide what the callee hears: the survey session does that.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum, auto
from functools import partial
from typing import Any, ParamSpec

from telealarm import metrics
from telealarm.asterisk.ari import AriEvent, Channel, Client
from telealarm.asterisk.ari.errors import (
    AllocationFailed,
    AlreadyExists,
    AriError,
    FateUnknown,
    NotFound,
    NotInStasis,
    RequestRefused,
    Unauthorized,
    Unreachable,
)
from telealarm.asterisk.cdr import Cdr, CdrError
from telealarm.asterisk.dialplan import APOLOGY, CONTEXT, EXTENSION
from telealarm.clock import monotonic, utcnow
from telealarm.dialing.pacer import Pacer
from telealarm.errors import SpeechError, Stale, TeleAlarmError
from telealarm.log import by_ids
from telealarm.rules import disposition as dispositions
from telealarm.store.dialing import call_progress, calls
from telealarm.store.dialing.calls import Call
from telealarm.store.engine.database import Database
from telealarm.words import AmdBehavior, AmdStatus, Disposition

log = logging.getLogger(__name__)

P = ParamSpec("P")

# Events can be lost with the websocket. So each channel is also checked this often.
CHECK_SECONDS = 30.0
# The pause between two tries to reach an Asterisk that does not answer.
PAUSE_SECONDS = 1.0
# Asterisk may still execute a POST whose reply was lost. A channel counts as gone only after this.
GRACE_SECONDS = 3.0
# How long a call waits if its prompts cannot be stored.
HOLD = timedelta(seconds=30)
# How long a session may take after the hang-up to write its last results.
FINISH_SECONDS = 10.0
# How often a session may lose Asterisk during a call. After that the callee hears the apology.
MOST_INTERRUPTIONS = 5


@dataclass(frozen=True)
class CallServices:
    """The services that service.py gives to the supervisors.

    - `prepare` renders the prompts before the call is dialled.
    - `converse` runs the survey session of an answered channel. It returns when the survey has
      ended or the channel is gone.
    - `find_cdr` reads Asterisk's call detail records. None: none are configured.
    """

    db: Database
    prepare: Callable[[Call], Awaitable[None]]
    converse: Callable[[Call, Channel], Awaitable[None]]
    find_cdr: Callable[[str], Cdr | None] | None


class _Check(Enum):
    """Why to check the channel's current state: routine, lost events, or a cancelled alarm."""

    PLAIN = auto()
    EVENTS_LOST = auto()
    WITHDRAWN = auto()


class CallSupervisor:
    """Runs one call: places, adopts or receives it, and follows it to its end."""

    def __init__(self, call: Call, ari: Client, services: CallServices, pacer: Pacer) -> None:
        self.call = call
        self._ari = ari
        self._pacer = pacer
        self._db = services.db
        self._services = services
        self._log = by_ids(
            log, alarm=call.alarm_id, request=call.request_id, channel=call.channel_id
        )
        self._inbox: asyncio.Queue[AriEvent | _Check] = asyncio.Queue()
        self._session: asyncio.Task[None] | None = None
        self._answered = call.answered is not None
        self._answered_at = call.answered
        self._rang = call.rang
        self._absent = False
        self._failed = False
        self._interruptions = 0

    def events_lost(self) -> None:
        """The websocket was down: check the channel's current state."""
        self._inbox.put_nowait(_Check.EVENTS_LOST)

    def withdraw(self) -> None:
        """The alarm was called off: hang up if nobody has answered yet."""
        self._inbox.put_nowait(_Check.WITHDRAWN)

    async def place(self) -> None:
        """Originate the call, and follow it to its end."""
        call = self.call
        try:
            await self._services.prepare(call)
        except SpeechError as error:
            self._log.error("%s; the call waits", error)
            await self._db.write(calls.give_back, call, str(error), utcnow() + HOLD)
            return
        await self._pacer.near(call)
        if not await self._db.write(calls.start, call, utcnow()):
            self._log.info("withdrawn before it was dialled")
            return
        channel = self._open()
        departure = await self._pacer.leave(call)
        try:
            await self._ari.channels.originate(
                channel_id=call.channel_id,
                endpoint=call.endpoint,
                context=CONTEXT,
                extension=EXTENSION,
                caller_id=call.caller_id,
                timeout_seconds=call.ring_seconds,
                variables={"TELEALARM_APP": self._ari.app, **_amd(call)},
            )
            metrics.CALLS_PLACED.inc()
            self._log.info("originate")
        except (Unreachable, Unauthorized) as error:
            self._ari.close(call.channel_id)
            await self._db.write(calls.take_back, call, str(error), utcnow())
            return
        except AlreadyExists:
            self._log.warning("Asterisk had the channel already; it is adopted")
            self._inbox.put_nowait(_Check.PLAIN)
        except (AllocationFailed, NotFound, RequestRefused) as error:
            self._ari.close(call.channel_id)
            if isinstance(error, AllocationFailed) and await self._ari.is_ending():
                await self._db.write(calls.take_back, call, "Asterisk is shutting down", utcnow())
                return
            why = f"Asterisk refused the call: {error}"
            await self._end(Disposition.FAILED, 0, why, refused=True)
            return
        except FateUnknown as error:
            self._log.warning("the fate of the originate is unknown: %s", error)
            await self._save(call_progress.unknown, call, str(error))
            self._inbox.put_nowait(_Check.PLAIN)
        finally:
            if departure is not None:
                departure.arrived(monotonic())
        await self._follow(channel)

    async def adopt(self) -> None:
        """Follow a call that an earlier run placed, or a worker that died."""
        channel = self._open()
        if await self._snapshot(channel) is not None:
            metrics.CALLS_ADOPTED.inc()
            await self._save(call_progress.adopted, self.call)
        self._inbox.put_nowait(_Check.PLAIN)
        await self._follow(channel)

    async def receive(self) -> None:
        """Follow an inbound caller whose call has a row already."""
        channel = self._open()
        self._inbox.put_nowait(_Check.PLAIN)
        await self._follow(channel)

    def _open(self) -> Channel:
        channel = self._ari.open(self.call.channel_id)
        for kind in ("Dial", "ChannelDestroyed"):
            channel.on_event(kind, self._inbox.put_nowait)
        channel.on_event("StasisStart", partial(self._on_stasis_start, channel))
        return channel

    def _on_stasis_start(self, channel: Channel, event: AriEvent) -> None:
        """Start the session at once: the callee is waiting. The event can be written later."""
        status = _amd_status(event)
        if status is not None:
            self.call = replace(self.call, amd_status=status)
        self._converse(channel)
        self._inbox.put_nowait(event)

    async def _follow(self, channel: Channel) -> None:
        try:
            gone = False
            while not gone:
                item: AriEvent | _Check = _Check.PLAIN
                with suppress(TimeoutError):
                    async with asyncio.timeout(GRACE_SECONDS if self._absent else CHECK_SECONDS):
                        item = await self._inbox.get()
                if isinstance(item, AriEvent):
                    gone = await self._handle(item, channel)
                else:
                    gone = await self._check(channel, item)
        finally:
            self._ari.close(self.call.channel_id)
            if self._session is not None:
                self._session.cancel()

    async def _handle(self, event: AriEvent, channel: Channel) -> bool:
        """Handle one event. Return True if the channel is gone."""
        if event.type == "Dial":
            if event.dialstatus in ("RINGING", "PROGRESS"):
                await self._ring()
            elif event.dialstatus == "ANSWER":
                await self._pick_up()
        elif event.type == "StasisStart":
            status = _amd_status(event)
            if status is not None:
                why = f"Asterisk's AMD says {event.args[1]}"
                await self._save(call_progress.detected, self.call, status, why)
            await self._pick_up()
        elif event.type == "ChannelDestroyed":
            await self._finish_session()
            cause, cause_txt = event.cause or 0, event.cause_txt or "unknown"
            ending = channel.ending
            cut = (ending is not None and ending.is_cut) or cause in dispositions.LOST_LINE
            if cut:
                self._ari.call_was_cut()
            if self._answered and cut:
                cause_txt += ", cut off"
            elif self._answered and cause == 0:
                # A BYE names no cause; it is a normal clearing (RFC 3398 9.1).
                cause, cause_txt = dispositions.NORMAL_CLEARING, "hung up by the phone"
            disposition = dispositions.of_call(
                answered=self._answered, rang=self._rang, cause=cause
            )
            why = f"cause {cause}, {cause_txt}"
            if self._answered and self._session is None:
                why += "; it never came to the survey"
            # The survey is over or the callee hung up, unless the session failed.
            talked = self._session is not None
            finished = talked and not self._failed and not cut
            hung_up = not talked and not cut
            await self._end(disposition, cause, why, finished=finished, hung_up=hung_up)
            return True
        return False

    async def _check(self, channel: Channel, reason: _Check) -> bool:
        """Check the channel's current state. Return True if it is gone."""
        snapshot = await self._snapshot(channel)
        if snapshot is None:
            return await self._find_fate()
        self._absent = False
        await self._save(call_progress.found, self.call)
        if reason is _Check.WITHDRAWN and snapshot["state"] != "Up":
            self._log.info("hung up: called off before anybody answered")
            await channel.hangup()
            return False
        if snapshot["state"] == "Ringing" and not self._rang:
            await self._ring()  # the event of its ringing was lost
        if snapshot["state"] == "Up":
            await self._pick_up()
        if snapshot.get("dialplan", {}).get("app_name") == "Stasis":
            await self._pick_up()
            if reason is _Check.EVENTS_LOST and self._session is not None:
                # The end of a playback may have been missed. A new session repeats the section.
                self._session.cancel()
                await asyncio.wait({self._session})
            self._converse(channel)
        return False

    async def _snapshot(self, channel: Channel) -> dict[str, Any] | None:
        """Return the channel as Asterisk has it, or None if it is gone. Waits for Asterisk."""
        while True:
            try:
                return await channel.snapshot()
            except NotFound:
                return None
            except AriError as error:
                self._log.warning("the channel cannot be checked yet: %s", error)
                await asyncio.sleep(PAUSE_SECONDS)

    async def _find_fate(self) -> bool:
        """Find out how a call ended whose channel is gone without an event."""
        if self._session is not None:
            # The session waits for events that will not come any more.
            self._session.cancel()
            await asyncio.wait({self._session})
        record = await self._record()
        if record is not None:
            disposition = dispositions.of_cdr(record.disposition)
            await self._end(
                disposition,
                dispositions.CAUSES.get(disposition, 0),
                f"not seen; Asterisk's record says {record.disposition}, {record.billed_seconds} s",
                billed_seconds=record.billed_seconds,
                hung_up=await self._hung_up(record),
            )
        elif self._answered:
            await self._end(
                Disposition.ANSWER, 0, "the channel is gone, and Asterisk kept no record of it"
            )
        elif not self._absent:
            # Asterisk may still execute a POST whose reply was lost. Check again after the grace.
            self._absent = True
            return False
        else:
            await self._save(
                call_progress.unknown, self.call, "neither a channel nor a record of it is there"
            )
            await self._end(None, 0, "it cannot be told whether the phone rang")
        return True

    async def _hung_up(self, record: Cdr) -> bool:
        """Return whether the callee hung up by themself while this service was away.

        Asterisk was not restarted since the answer, and the call did not go on in the dialplan.
        """
        if self._answered_at is None or record.last_app != "Stasis":
            return False
        try:
            started = await self._ari.asterisk.started()
        except AriError as error:
            self._log.warning("Asterisk does not say when it was started: %s", error)
            return False
        return started is not None and started < self._answered_at

    async def _record(self) -> Cdr | None:
        find = self._services.find_cdr
        if find is None:
            return None
        try:
            return await asyncio.to_thread(find, self.call.channel_id)
        except CdrError as error:
            self._log.error("%s", error)
            return None

    async def _ring(self) -> None:
        self._rang = True
        await self._save(call_progress.ringing, self.call)

    async def _pick_up(self) -> None:
        if not self._answered:
            self._answered, self._answered_at = True, utcnow()
            await self._save(call_progress.answered, self.call, utcnow())

    def _converse(self, channel: Channel) -> None:
        if self._session is None or self._session.done():
            self._failed = False
            self._session = asyncio.create_task(
                self._run_session(channel), name=f"session-{self.call.id}"
            )

    async def _run_session(self, channel: Channel) -> None:
        try:
            await self._services.converse(self.call, channel)
        except (NotFound, NotInStasis):
            self._log.info("hung up too early")
        except Stale as error:
            # Another worker has the callee now.
            self._log.warning("%s", error)
        except (Unreachable, FateUnknown) as error:
            self._interruptions += 1
            if self._interruptions > MOST_INTERRUPTIONS:
                await self._apologise(channel, error)
                return
            # Asterisk is out of reach, but the callee is still there. A new session continues as
            # soon as the channel can be checked.
            self._log.warning("the session is interrupted: %s", error)
            self._failed = True
            self._inbox.put_nowait(_Check.PLAIN)
        except Exception as error:  # noqa: BLE001 - logged, and the callee hears the apology
            await self._apologise(channel, error)

    async def _apologise(self, channel: Channel, error: Exception) -> None:
        self._log.error(
            "the session failed, the callee hears the apology: %s",
            error,
            exc_info=None if isinstance(error, TeleAlarmError) else error,
        )
        self._failed = True
        with suppress(AriError):
            await channel.continue_in_dialplan(context=CONTEXT, extension=APOLOGY)

    async def _save(self, fn: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Write a step, after what the session has written so far.

        While the database is away, this waits for it. The session talks meanwhile.
        """
        await asyncio.shield(self._db.backlog.add(self.call.id, fn, *args, **kwargs))

    async def _finish_session(self) -> None:
        """Wait until the session has written its results, so that a hang-up loses no key."""
        if self._session is not None and not self._session.done():
            done, _ = await asyncio.wait({self._session}, timeout=FINISH_SECONDS)
            if not done:
                self._log.error("the session did not end with its channel")

    async def _end(
        self,
        disposition: Disposition | None,
        cause: int,
        why: str,
        *,
        billed_seconds: int = 0,
        finished: bool = False,
        hung_up: bool = False,
        refused: bool = False,
    ) -> None:
        self._log.info("ended: %s, %s", disposition or "unknown", why)
        if disposition is None:
            metrics.CALLS_UNKNOWN.inc()
        else:
            metrics.CALLS_ENDED.labels(disposition).inc()
        await self._save(
            call_progress.end,
            self.call,
            call_progress.End(
                disposition=disposition,
                cause=cause,
                why=why,
                at=utcnow(),
                billed_seconds=billed_seconds,
                finished=finished,
                hung_up=hung_up,
                refused=refused,
            ),
        )


def _amd_status(event: AriEvent) -> AmdStatus | None:
    """Return what AMD found. The dialplan passes AMDSTATUS as second argument of Stasis."""
    return dispositions.of_amd(event.args[1]) if len(event.args) > 1 else None


def _amd(call: Call) -> dict[str, str]:
    """Return the variable that makes the dialplan run AMD."""
    if call.amd_behavior is None:
        return {}
    human_only = call.amd_behavior is AmdBehavior.HUMAN_ONLY
    return {"TELEALARM_AMD": "human" if human_only else "any"}
