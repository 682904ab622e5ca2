"""The doors: a caller's channel, from its arrival to its survey or its hang-up."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import time
from functools import partial
from typing import Any, Protocol

from telealarm.asterisk.ari import AriEvent, Channel
from telealarm.asterisk.ari.errors import AriError, NotFound, NotInStasis
from telealarm.asterisk.dialplan import APOLOGY, CONTEXT, DOORS
from telealarm.clock import monotonic, utcnow
from telealarm.errors import SpeechError, StorageError, TeleAlarmError
from telealarm.rules import phone
from telealarm.rules.wakeup import Booked
from telealarm.store.dialing import call_back, pins
from telealarm.store.dialing.calls import Call
from telealarm.store.engine.claim import Holder
from telealarm.store.survey import upcoming
from telealarm.store.survey.session_state import Script
from telealarm.survey.channel_io import RINGING, ChannelIO, HungUp
from telealarm.survey.inbound import callback, wakeup
from telealarm.survey.inbound.dialog import DoorRequest, Phrase
from telealarm.survey.inbound.dialog_runner import DialogRunner
from telealarm.survey.patience import Patience
from telealarm.survey.section_context import SessionServices

log = logging.getLogger(__name__)

# The most callers at a time. Later callers hear the apology.
MOST = 200
# How long a caller may stay at a door.
LIMIT_SECONDS = 600.0
# How long to wait for the end of another call of the alarm, and how often to check. On a busy
# machine the hang-up takes a while; the caller hears ringing meanwhile.
TAKE_BACK_SECONDS, CHECK_SECONDS = 30.0, 0.2
# A caller waits at most this long for rendering. Then the rest is rendered during the survey.
RENDER_SECONDS = 5.0


class WakeupOrders(Protocol):
    """Wake-up calls, by calendar and by the number to call."""

    async def find(self, calendar_id: int, number: str) -> Booked | None:
        """Return the wake-up call of a number, or None."""

    async def keep(self, calendar_id: int, number: str, clock: time, daily: bool) -> Booked:
        """Set the wake-up call of a number, and return it."""

    async def cancel(self, calendar_id: int, number: str) -> bool:
        """Cancel the wake-up call of a number. Return whether there was one."""


class Doors:
    """Answers callers at the inbound doors.

    `receive` makes a caller's channel a call of an alarm and supervises it. `render` prepares the
    prompts of a survey.
    """

    def __init__(
        self,
        services: SessionServices,
        holder: Holder,
        *,
        receive: Callable[[Callable[[], Call | None]], Awaitable[Call | None]],
        render: Callable[[Script], Awaitable[object]],
        wakeups: WakeupOrders,
    ) -> None:
        self._services = services
        self._holder = holder
        self._receive = receive
        self._render = render
        self._wakeups = wakeups
        self._callers = 0

    async def enter(self, event: AriEvent) -> bool:
        """Serve a caller at a door. Return False if there is no such door, or no room."""
        door, *details = event.args or ("",)
        if door not in DOORS or event.channel_id is None or self._callers >= MOST:
            return False
        self._callers += 1
        ids = {"channel": event.channel_id}
        channel = self._services.ari.open(event.channel_id)
        kept = False
        try:
            log.info("a caller by the door %s", door, extra=ids)
            open_door = self._callback if door == "callback" else self._wakeup
            kept = await open_door(channel, event, details)
        except (HungUp, NotFound, NotInStasis):
            log.info("the caller hung up", extra=ids)
        except Exception as error:
            known = isinstance(error, TeleAlarmError)
            log.error(
                "the door failed, the caller hears the apology: %s",
                error,
                exc_info=None if known else error,
                extra=ids,
            )
            with suppress(AriError):
                await channel.continue_in_dialplan(context=CONTEXT, extension=APOLOGY)
        finally:
            self._callers -= 1
            if not kept:
                self._services.ari.close(channel.id)
        return True

    async def _callback(self, channel: Channel, event: AriEvent, details: Sequence[str]) -> bool:
        """Return True if the caller's channel has become a call of an alarm."""
        calendar_id = _id(details)
        db = self._services.db

        async def execute(order: DoorRequest[Any]) -> Any:
            if isinstance(order, callback.FindAlarm):
                find = partial(db.read, call_back.find, order.number, calendar_id, utcnow())
                alarm = await patience.until_answered(find)
                if alarm is None or (order.keyed and not alarm.asks_pin):
                    return None
                runner.language = patience.language = alarm.language
                return alarm
            assert isinstance(order, callback.CheckPin)
            guess = partial(pins.check, order.alarm_id, order.keyed, utcnow())
            check = partial(db.write, guess, withheld=order.withheld)
            return await patience.until_answered(check)

        with self._line(channel) as line:
            patience = Patience(self._services.prompts, line, _language(event))
            runner = DialogRunner(line, self._services.prompts, _language(event), execute)
            alarm_id = await runner.run(callback.callback(_number(event)))
            if alarm_id is None:
                await channel.hangup()
                return False
            greeting = runner.say(Phrase("callback-found"))
            await asyncio.gather(greeting, self._ready(alarm_id))
            if not await self._taken_back(alarm_id, line, patience):
                await runner.say(Phrase("callback-busy"))
                await channel.hangup()
                return False
            answer = partial(call_back.answer, alarm_id, channel.id, self._holder, utcnow())
            await line.hold(0)
            if await patience.until_answered(partial(self._receive, answer)) is not None:
                return True
            await runner.say(Phrase("callback-nothing"))
            await channel.hangup()
            return False

    async def _ready(self, alarm_id: int) -> None:
        """Render the prompts of the alarm."""
        with suppress(SpeechError, StorageError, TimeoutError):
            async with asyncio.timeout(RENDER_SECONDS):
                script = await self._services.db.read(upcoming.script, alarm_id)
                if script is not None:
                    await self._render(script)

    async def _taken_back(self, alarm_id: int, line: ChannelIO, patience: Patience) -> bool:
        """Return whether no other call of the alarm is up. Hang up one that rings, and wait."""
        until, waits = monotonic() + TAKE_BACK_SECONDS, False
        take_back = partial(self._services.db.write, call_back.take_back, alarm_id, utcnow())
        while not await patience.until_answered(take_back):
            if monotonic() > until:
                return False
            await line.hold(CHECK_SECONDS)
            if not waits:
                waits = True
                await line.sound(RINGING)
            await line.event(CHECK_SECONDS)
        await line.quiet()
        return True

    async def _wakeup(self, channel: Channel, event: AriEvent, details: Sequence[str]) -> bool:
        calendar_id = _id(details)
        twelve, operator = details[1:2] == ["12"], details[2:3] == ["yes"]
        wakeups, language = self._wakeups, _language(event)
        if calendar_id is None:
            raise TeleAlarmError(
                "the dialplan names no calendar for wake-up calls; set TELEALARM_CALENDAR to its id"
            )

        async def execute(order: DoorRequest[Any]) -> Any:
            if isinstance(order, wakeup.FindWakeup):
                return await patience.until_answered(partial(wakeups.find, calendar_id, order.room))
            if isinstance(order, wakeup.CancelWakeup):
                return await patience.until_answered(
                    partial(wakeups.cancel, calendar_id, order.room)
                )
            assert isinstance(order, wakeup.KeepWakeup)
            try:
                return await patience.until_answered(
                    partial(wakeups.keep, calendar_id, order.room, order.clock, order.daily)
                )
            except StorageError:
                raise
            except TeleAlarmError as error:
                log.error("a wake-up call is refused: %s", error, extra={"channel": channel.id})
                return None

        with self._line(channel) as line:
            patience = Patience(self._services.prompts, line, language)
            runner = DialogRunner(line, self._services.prompts, language, execute)
            room = _number(event)
            await runner.run(
                wakeup.order(room, operator=operator, twelve=twelve, language=language)
            )
            await channel.hangup()
        return False

    def _line(self, channel: Channel) -> ChannelIO:
        return ChannelIO(channel, LIMIT_SECONDS, files=self._services.files)


def _number(event: AriEvent) -> str:
    """Return the caller id; empty if it is withheld."""
    caller = event.channel.get("caller") or {}
    return phone.caller(str(caller.get("number") or ""))


def _language(event: AriEvent) -> str:
    """Return the channel's language, the dialplan's CHANNEL(language): `en` or `es_MX`."""
    return str(event.channel.get("language") or "en").replace("_", "-")


def _id(details: Sequence[str]) -> int | None:
    """Return the calendar that the dialplan names, or None."""
    word = details[0] if details else ""
    return int(word) if word.isascii() and word.isdigit() and len(word) < 10 else None
