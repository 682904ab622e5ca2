"""The watch over one call: from the originate to the end of its channel.

    place -> ringing -> answered -> session -> gone
    adopt ---^----------^

It writes what it sees into the call's row as it sees it, so that whoever comes after a crash
finds the call where it was. What the answered callee hears is not its business: the session is
handed to it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from functools import partial
from typing import Any

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
from telealarm.store.dialing import calls
from telealarm.store.dialing.calls import Call
from telealarm.store.engine.database import Database
from telealarm.words import AmdBehavior, AmdStatus, Disposition

log = logging.getLogger(__name__)

# An event can be lost with the websocket; a call is looked at this often in any case.
LOOK_SECONDS = 30.0
# Between two tries to reach an Asterisk that does not answer.
PAUSE_SECONDS = 1.0
# A POST whose reply was lost may still be carried out; a channel is not gone before this.
GRACE_SECONDS = 3.0
# How long a call waits whose prompts cannot be kept anywhere.
HELD = timedelta(seconds=30)
# A session that has heard of the hang-up has nothing left to do but to write.
LAST_WORDS_SECONDS = 10.0
# How often in a call Asterisk may be out of reach for the session; then the callee is told.
MOST_INTERRUPTIONS = 5


@dataclass(frozen=True)
class CallServices:
    """What app.py hands to the watches.

    `prepare` renders what will be said, before anything is dialled. `converse` is the survey
    session of an answered channel; it ends when the survey has ended or the channel is gone.
    `find_cdr` asks Asterisk's call detail records (None: none are configured).
    """

    db: Database
    prepare: Callable[[Call], Awaitable[None]]
    converse: Callable[[Call, Channel], Awaitable[None]]
    find_cdr: Callable[[str], Cdr | None] | None


class _Look(Enum):
    """Look at the channel as it is: just so, because events may have been lost, or because
    its alarm was called off.
    """

    PLAIN = auto()
    EVENTS_LOST = auto()
    WITHDRAWN = auto()


class CallSupervisor:
    def __init__(self, call: Call, ari: Client, wiring: CallServices, turnstile: Pacer) -> None:
        self.call = call
        self._ari = ari
        self._turnstile = turnstile
        self._db = wiring.db
        self._wiring = wiring
        self._log = by_ids(
            log, alarm=call.alarm_id, request=call.request_id, channel=call.channel_id
        )
        self._inbox: asyncio.Queue[AriEvent | _Look] = asyncio.Queue()
        self._session: asyncio.Task[None] | None = None
        self._answered = call.answered is not None
        self._rang = call.rang
        self._absent = False
        self._failed = False
        self._interruptions = 0

    def events_lost(self) -> None:
        """The websocket was away: have the channel looked at."""
        self._inbox.put_nowait(_Look.EVENTS_LOST)

    def withdraw(self) -> None:
        """The alarm was called off: hang up, if nobody has answered yet."""
        self._inbox.put_nowait(_Look.WITHDRAWN)

    async def place(self) -> None:
        """Originate, and follow the call to its end."""
        call = self.call
        try:
            await self._wiring.prepare(call)
        except SpeechError as error:
            self._log.error("%s; the call waits", error)
            await self._db.write(calls.give_back, call, str(error), utcnow() + HELD)
            return
        await self._turnstile.near(call)
        if not await self._db.write(calls.start, call, utcnow()):
            self._log.info("withdrawn before it was dialled")
            return
        channel = self._open()
        departure = await self._turnstile.leave(call)
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
            self._inbox.put_nowait(_Look.PLAIN)
        except (AllocationFailed, NotFound, RequestRefused) as error:
            self._ari.close(call.channel_id)
            why = f"Asterisk refused the call: {error}"
            await self._end(Disposition.FAILED, 0, why, refused=True)
            return
        except FateUnknown as error:
            self._log.warning("the fate of the originate is unknown: %s", error)
            await self._db.write(calls.unknown, call, str(error))
            self._inbox.put_nowait(_Look.PLAIN)
        finally:
            if departure is not None:
                departure.arrived(monotonic())
        await self._follow(channel)

    async def adopt(self) -> None:
        """Follow a call that was placed before: by an earlier run, or by a worker that died."""
        channel = self._open()
        if await self._snapshot(channel) is not None:
            metrics.CALLS_ADOPTED.inc()
            await self._db.write(calls.adopted, self.call)
        self._inbox.put_nowait(_Look.PLAIN)
        await self._follow(channel)

    async def receive(self) -> None:
        """Follow somebody who has rung us, and whose call was written down as one of ours."""
        channel = self._open()
        self._inbox.put_nowait(_Look.PLAIN)
        await self._follow(channel)

    def _open(self) -> Channel:
        channel = self._ari.open(self.call.channel_id)
        for kind in ("Dial", "ChannelDestroyed"):
            channel.on_event(kind, self._inbox.put_nowait)
        channel.on_event("StasisStart", partial(self._enter, channel))
        return channel

    def _enter(self, channel: Channel, event: AriEvent) -> None:
        """The callee is waiting: their session waits for nothing that is still to be written,
        but for who AMD says that they are.
        """
        if _who(event) is None:
            self._converse(channel)
        self._inbox.put_nowait(event)

    async def _follow(self, channel: Channel) -> None:
        try:
            gone = False
            while not gone:
                item: AriEvent | _Look = _Look.PLAIN
                with suppress(TimeoutError):
                    async with asyncio.timeout(GRACE_SECONDS if self._absent else LOOK_SECONDS):
                        item = await self._inbox.get()
                if isinstance(item, AriEvent):
                    gone = await self._see(item, channel)
                else:
                    gone = await self._look(channel, item)
        finally:
            self._ari.close(self.call.channel_id)
            if self._session is not None:
                self._session.cancel()

    async def _see(self, event: AriEvent, channel: Channel) -> bool:
        """Take in one event; True when the channel is gone."""
        if event.type == "Dial":
            if event.dialstatus in ("RINGING", "PROGRESS"):
                self._rang = True
                await self._db.write(calls.ringing, self.call)
            elif event.dialstatus == "ANSWER":
                await self._pick_up()
        elif event.type == "StasisStart":
            who = _who(event)
            if who is not None:
                why = f"Asterisk's AMD says {event.args[1]}"
                await self._db.write(calls.detected, self.call, who, why)
                self._converse(channel)
            await self._pick_up()
        elif event.type == "ChannelDestroyed":
            await self._last_words()
            cause, cause_txt = event.cause or 0, event.cause_txt or "unknown"
            if self._answered and cause == 0:
                # A BYE names no cause; it is a normal clearing (RFC 3398 9.1).
                cause, cause_txt = dispositions.NORMAL_CLEARING, "hung up by the phone"
            disposition = dispositions.of_call(
                answered=self._answered, rang=self._rang, cause=cause
            )
            why = f"cause {cause}, {cause_txt}"
            if self._answered and self._session is None:
                why += "; it never came to the survey"
            # Where nothing of ours broke off, the callee has hung up or the survey is over.
            finished = self._session is not None and not self._failed
            await self._end(disposition, cause, why, finished=finished)
            return True
        return False

    async def _look(self, channel: Channel, how: _Look) -> bool:
        """See how the channel is now; True when it is gone."""
        snapshot = await self._snapshot(channel)
        if snapshot is None:
            return await self._account()
        self._absent = False
        await self._db.write(calls.found, self.call)
        if how is _Look.WITHDRAWN and snapshot["state"] != "Up":
            self._log.info("hung up: called off before anybody answered")
            await channel.hangup()
            return False
        if snapshot["state"] == "Up":
            await self._pick_up()
        if snapshot.get("dialplan", {}).get("app_name") == "Stasis":
            await self._pick_up()
            if how is _Look.EVENTS_LOST and self._session is not None:
                # What played may have ended unheard: another session repeats the section.
                self._session.cancel()
                await asyncio.wait({self._session})
            self._converse(channel)
        return False

    async def _snapshot(self, channel: Channel) -> dict[str, Any] | None:
        """The channel as Asterisk has it, or None when it is gone. Waits for Asterisk to answer."""
        while True:
            try:
                return await channel.snapshot()
            except NotFound:
                return None
            except AriError as error:
                self._log.warning("its channel cannot be looked at yet: %s", error)
                await asyncio.sleep(PAUSE_SECONDS)

    async def _account(self) -> bool:
        """The channel is not there, and nobody saw it go: find out what became of the call."""
        if self._session is not None:
            # It waits for events that will not come any more.
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
            )
        elif self._answered:
            await self._end(
                Disposition.ANSWER, 0, "the channel is gone, and Asterisk kept no record of it"
            )
        elif not self._absent:
            # A POST whose reply was lost may be carried out late: look again after the grace.
            self._absent = True
            return False
        else:
            await self._db.write(
                calls.unknown, self.call, "neither a channel nor a record of it is there"
            )
            await self._end(None, 0, "it cannot be told whether the phone rang")
        return True

    async def _record(self) -> Cdr | None:
        find = self._wiring.find_cdr
        if find is None:
            return None
        try:
            return await asyncio.to_thread(find, self.call.channel_id)
        except CdrError as error:
            self._log.error("%s", error)
            return None

    async def _pick_up(self) -> None:
        if not self._answered:
            self._answered = True
            await self._db.write(calls.answered, self.call, utcnow())

    def _converse(self, channel: Channel) -> None:
        if self._session is None or self._session.done():
            self._failed = False
            self._session = asyncio.create_task(
                self._run_session(channel), name=f"session-{self.call.id}"
            )

    async def _run_session(self, channel: Channel) -> None:
        try:
            await self._wiring.converse(self.call, channel)
        except (NotFound, NotInStasis):
            self._log.info("hung up too early")
        except Stale as error:
            # Another worker talks to the callee now.
            self._log.warning("%s", error)
        except (Unreachable, FateUnknown) as error:
            self._interruptions += 1
            if self._interruptions > MOST_INTERRUPTIONS:
                await self._apologise(channel, error)
                return
            # Asterisk is out of reach, the callee is still there: another session goes on with
            # them as soon as the channel can be looked at.
            self._log.warning("the session is interrupted: %s", error)
            self._failed = True
            self._inbox.put_nowait(_Look.PLAIN)
        except Exception as error:  # noqa: BLE001 - logged, and the callee is told
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

    async def _last_words(self) -> None:
        """Let the session write what it still has to, so that no key is lost to a hang-up."""
        if self._session is not None and not self._session.done():
            done, _ = await asyncio.wait({self._session}, timeout=LAST_WORDS_SECONDS)
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
        refused: bool = False,
    ) -> None:
        self._log.info("ended: %s, %s", disposition or "unknown", why)
        if disposition is None:
            metrics.CALLS_UNKNOWN.inc()
        else:
            metrics.CALLS_ENDED.labels(disposition).inc()
        await self._db.write(
            calls.end,
            self.call,
            disposition=disposition,
            cause=cause,
            why=why,
            now=utcnow(),
            billed_seconds=billed_seconds,
            finished=finished,
            refused=refused,
        )


def _who(event: AriEvent) -> AmdStatus | None:
    """The dialplan passes AMDSTATUS on as the second argument of Stasis."""
    return dispositions.of_amd(event.args[1]) if len(event.args) > 1 else None


def _amd(call: Call) -> dict[str, str]:
    """The variable that has the dialplan find out who answers."""
    if call.amd_behavior is None:
        return {}
    human_only = call.amd_behavior is AmdBehavior.HUMAN_ONLY
    return {"TELEALARM_AMD": "human" if human_only else "any"}
