"""The doors themselves: a caller's channel, from its arrival to its survey or the hang-up."""

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
from telealarm.errors import SpeechError, TeleAlarmError
from telealarm.rules import phone
from telealarm.rules.wakeup import Booked
from telealarm.store.dialing import call_back
from telealarm.store.dialing.calls import Call
from telealarm.store.engine.claim import Holder
from telealarm.store.survey import upcoming
from telealarm.store.survey.session_state import Script
from telealarm.survey.channel_io import RINGING, ChannelIO, HungUp
from telealarm.survey.inbound import callback, wakeup
from telealarm.survey.inbound.dialog import Order, Phrase
from telealarm.survey.inbound.dialog_runner import DialogRunner
from telealarm.survey.section_context import SessionServices

log = logging.getLogger(__name__)

# Callers at the doors at a time; who comes then hears the apology.
MOST = 200
# How long one may stand at a door.
LIMIT_SECONDS = 600.0
# How long a call of the same alarm that is up is waited for, and how often it is looked at.
TAKE_BACK_SECONDS, LOOK_SECONDS = 10.0, 0.2
# Nobody waits longer in silence for their message to be rendered; then it is while they hear it.
RENDER_SECONDS = 5.0


class WakeupOrders(Protocol):
    """Where wake-up calls are kept, by the calendar and the number that is rung."""

    async def find(self, calendar_id: int, number: str) -> Booked | None: ...
    async def keep(self, calendar_id: int, number: str, clock: time, daily: bool) -> Booked: ...
    async def cancel(self, calendar_id: int, number: str) -> bool: ...


class Doors:
    """`receive` makes a caller's channel a call of an alarm and watches over it; `render` has
    ready what a survey will say.
    """

    def __init__(
        self,
        means: SessionServices,
        holder: Holder,
        *,
        receive: Callable[[Callable[[], Call | None]], Awaitable[Call | None]],
        render: Callable[[Script], Awaitable[object]],
        wakeups: WakeupOrders,
    ) -> None:
        self._means = means
        self._holder = holder
        self._receive = receive
        self._render = render
        self._wakeups = wakeups
        self._callers = 0

    async def enter(self, event: AriEvent) -> bool:
        """Talk to who has come by a door; False where they came by none, or there is no room."""
        door, *details = event.args or ("",)
        if door not in DOORS or event.channel_id is None or self._callers >= MOST:
            return False
        self._callers += 1
        ids = {"channel": event.channel_id}
        channel = self._means.ari.open(event.channel_id)
        handed_over = False
        try:
            log.info("a caller by the door %s", door, extra=ids)
            open_door = self._callback if door == "callback" else self._wakeup
            handed_over = await open_door(channel, event, details)
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
            if not handed_over:
                self._means.ari.close(channel.id)
        return True

    async def _callback(self, channel: Channel, event: AriEvent, details: Sequence[str]) -> bool:
        """True where the caller's channel is a call of an alarm now."""
        calendar_id = _id(details)
        db = self._means.db

        async def obey(order: Order[Any]) -> Any:
            if isinstance(order, callback.Seek):
                found = await db.read(call_back.find, order.number, calendar_id, utcnow())
                if found is None or (order.keyed and not found.asks_pin):
                    return None
                talk.language = found.language
                return found
            assert isinstance(order, callback.CheckPin)
            return await db.write(call_back.check_pin, order.alarm_id, order.keyed, utcnow())

        with self._line(channel) as line:
            talk = DialogRunner(line, self._means.prompts, _language(event), obey)
            alarm_id = await talk.run(callback.callback(_number(event)))
            if alarm_id is None:
                await channel.hangup()
                return False
            found = talk.say(Phrase("callback-found"))
            await asyncio.gather(found, self._ready(alarm_id))
            if not await self._taken_back(alarm_id, line):
                await talk.say(Phrase("callback-busy"))
                await channel.hangup()
                return False
            answer = partial(call_back.answer, alarm_id, channel.id, self._holder, utcnow())
            await line.hold(0)
            if await self._receive(answer) is not None:
                return True
            await talk.say(Phrase("callback-nothing"))
            await channel.hangup()
            return False

    async def _ready(self, alarm_id: int) -> None:
        """What the alarm says is rendered."""
        script = await self._means.db.read(upcoming.script, alarm_id)
        if script is not None:
            with suppress(SpeechError, TimeoutError):
                async with asyncio.timeout(RENDER_SECONDS):
                    await self._render(script)

    async def _taken_back(self, alarm_id: int, line: ChannelIO) -> bool:
        """Whether no other call of the alarm is up; one that rings is hung up and waited for."""
        until, waits = monotonic() + TAKE_BACK_SECONDS, False
        while not await self._means.db.write(call_back.take_back, alarm_id, utcnow()):
            if monotonic() > until:
                return False
            await line.hold(LOOK_SECONDS)
            if not waits:
                waits = True
                await line.sound(RINGING)
            await line.event(LOOK_SECONDS)
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

        async def obey(order: Order[Any]) -> Any:
            if isinstance(order, wakeup.Seek):
                return await wakeups.find(calendar_id, order.room)
            if isinstance(order, wakeup.Cancel):
                return await wakeups.cancel(calendar_id, order.room)
            assert isinstance(order, wakeup.Keep)
            try:
                return await wakeups.keep(calendar_id, order.room, order.clock, order.daily)
            except TeleAlarmError as error:
                log.error("a wake-up call is refused: %s", error, extra={"channel": channel.id})
                return None

        with self._line(channel) as line:
            talk = DialogRunner(line, self._means.prompts, language, obey)
            room = _number(event)
            await talk.run(wakeup.order(room, operator=operator, twelve=twelve, language=language))
            await channel.hangup()
        return False

    def _line(self, channel: Channel) -> ChannelIO:
        return ChannelIO(channel, LIMIT_SECONDS, files=self._means.files)


def _number(event: AriEvent) -> str:
    """The caller id; empty where it is withheld."""
    caller = event.channel.get("caller") or {}
    return phone.caller(str(caller.get("number") or ""))


def _language(event: AriEvent) -> str:
    """The channel's: as the dialplan's CHANNEL(language) says, `en` or `es_MX`."""
    return str(event.channel.get("language") or "en").replace("_", "-")


def _id(details: Sequence[str]) -> int | None:
    """The calendar that the dialplan names, if it does."""
    word = details[0] if details else ""
    return int(word) if word.isascii() and word.isdigit() and len(word) < 10 else None
