"""A transfer: an agent is called, hears who is waiting, and accepts with a key. Then both talk.

The callee hears ringing meanwhile. A row holds the state of the transfer. So another session can
continue a talk, or hang up an agent whose callee is gone.
"""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from telealarm.asterisk.ari import AriEvent, Channel
from telealarm.asterisk.ari.errors import (
    AriError,
    FateUnknown,
    NotFound,
    NotInStasis,
    RequestRefused,
    Unreachable,
)
from telealarm.asterisk.dialplan import CONTEXT, EXTENSION
from telealarm.clock import monotonic, utcnow
from telealarm.errors import SpeechError
from telealarm.rules import disposition as dispositions
from telealarm.sections.call_transfer import Response
from telealarm.sections.context import Outcome
from telealarm.store.dialing import call_rate
from telealarm.store.survey import transfers
from telealarm.store.survey.transfers import Agent
from telealarm.survey.channel_io import RINGING, ChannelIO, HungUp, nothing
from telealarm.survey.machine import LEAST_SECONDS
from telealarm.survey.section_context import ActiveSection
from telealarm.survey.tts.prompts import soon
from telealarm.words import Disposition

log = logging.getLogger(__name__)

# How often the time limits of both channels are renewed, and how long they last otherwise.
RENEW_SECONDS = 10.0
TALK_SECONDS = 30.0
# How long a transfer waits until its gateway may place one more call.
TURN_SECONDS = 10.0
# Asterisk ends the ringing. This margin is for a lost event.
RING_MARGIN_SECONDS = 5.0

# Neither side has hung up: another session takes over, or Asterisk cannot be reached.
_INTERRUPTED = (asyncio.CancelledError, Unreachable, FateUnknown)
# Waiting longer would not help.
_UNREACHABLE = (Disposition.BUSY, Disposition.CONGESTION, Disposition.FAILED)


@dataclass(frozen=True)
class TransferOrder:
    """A call to an agent.

    `number`: the agent's; empty: the alarm's number. `script`: what the agent hears, filled in.
    `key`: how the agent accepts the call; empty: without a key.
    """

    number: str
    script: str
    key: str


async def transfer(context: ActiveSection, order: TransferOrder) -> Outcome:
    """Return DONE after a talk that the agent ended, NOTHING if nobody accepted the call, or
    FAILED (busy, wrong number).

    Raises HungUp if the callee hangs up; then the agent's channel is hung up too.
    """
    services, call = context.services, context.call
    agent = await context.saver.ask(transfers.latest, call, context.section.id)
    if agent is not None and agent.taken and agent.ended:
        return Outcome.DONE
    if agent is not None and not agent.ended:
        if agent.taken and await _lives(context, agent):
            return await _Transfer(context, order, agent).go_on()
        await context.channel_io.silence()
        await services.ari.open(agent.channel_id).hangup()
        services.ari.close(agent.channel_id)
        context.saver.note(
            transfers.end, call, agent, Response.NO_ANSWER, Disposition.CANCEL, 0, utcnow()
        )
        if agent.taken:
            return Outcome.DONE
    agent = await context.saver.ask(transfers.begin, call, context.section.id, order.number)
    return Outcome.FAILED if agent is None else await _Transfer(context, order, agent).run()


async def _kind(channel_io: ChannelIO) -> str:
    event = await channel_io.event(RENEW_SECONDS)
    return event.type if event else ""


async def _lives(context: ActiveSection, agent: Agent) -> bool:
    with suppress(NotFound):
        await context.services.ari.channels.get(agent.channel_id)
        return True
    return False


class _Transfer:
    def __init__(self, context: ActiveSection, order: TransferOrder, agent: Agent) -> None:
        self._context = context
        self._order = order
        self._agent = agent
        self._ari = context.services.ari
        self._bridge = f"{agent.channel_id}-bridge"
        self._disposition: Disposition | None = None
        self._cause = 0
        # The survey result, if nobody accepts the call.
        self._word: str = Response.NO_ANSWER

    async def run(self) -> Outcome:
        """Call the agent, and connect both. Return how it went."""
        context, agent = self._context, self._agent
        channel = self._ari.open(agent.channel_id)
        with self._channel_io(channel) as channel_io:
            try:
                how = await self._won(channel_io)
                if how == Outcome.DONE:
                    context.saver.note(transfers.taken, context.call, agent, utcnow())
                    await context.channel_io.quiet()
                    await self._talk(channel_io)
            except _INTERRUPTED:
                raise  # the next session continues with both channels
            except BaseException:
                await self._end(channel_io)
                raise
            await self._end(channel_io)
            await context.channel_io.quiet()
            return how

    async def go_on(self) -> Outcome:
        """Continue a talk that an earlier session has begun, or was about to begin."""
        await self._context.channel_io.silence()
        channel = self._ari.open(self._agent.channel_id)
        with self._channel_io(channel) as channel_io:
            try:
                await self._talk(channel_io)
            except _INTERRUPTED:
                raise
            except BaseException:
                await self._end(channel_io)
                raise
            await self._end(channel_io)
            return Outcome.DONE

    def _channel_io(self, channel: Channel) -> ChannelIO:
        limit, files = self._context.call.limit_seconds, self._context.services.files
        return ChannelIO(channel, limit, "StasisStart", files=files)

    async def _won(self, channel_io: ChannelIO) -> Outcome:
        """Return DONE as soon as the agent accepts. The callee's keys are kept for later."""
        callee = self._context.channel_io
        if not await self._has_turn() or not await self._rings():
            return Outcome.FAILED
        asking = asyncio.create_task(self._ask(channel_io), name=f"agent-{self._agent.id}")
        asking.add_done_callback(lambda _: callee.nudge())
        try:
            while not asking.done():
                # Asterisk accepts no other command for a channel during a playback.
                await callee.quiet()
                await callee.hold(RENEW_SECONDS)
                await callee.sound(RINGING)
                await callee.keys(RENEW_SECONDS, self._keep_key, asking.done)
            return asking.result()
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    async def _has_turn(self) -> bool:
        """Wait until the gateway may place one more call, at its rate. Raises HungUp.

        Return False if that would take too long.
        """
        callee, until = self._context.channel_io, monotonic() + TURN_SECONDS
        saver, gateway = self._context.saver, self._agent.gateway
        await callee.sound(RINGING)
        while isinstance(slot := await saver.ask(call_rate.redraw, gateway), float):
            if slot > until:
                self._disposition, self._word = (
                    Disposition.CONGESTION,
                    Response.CONGESTION,
                )
                return False
            await callee.keys(slot - monotonic(), self._keep_key)
        if slot is not None:
            await callee.keys(slot.at - monotonic(), self._keep_key)
        return True

    def _keep_key(self, key: str) -> None:
        self._context.ahead(key)

    async def _rings(self) -> bool:
        """Place the call, and return whether the agent's phone may ring.

        The request is not interrupted, so that no phone rings after the callee has hung up.
        """
        context, agent = self._context, self._agent
        try:
            await self._ari.channels.originate(
                channel_id=agent.channel_id,
                endpoint=agent.endpoint,
                context=CONTEXT,
                extension=EXTENSION,
                caller_id=context.call.caller_id,
                timeout_seconds=context.call.ring_seconds,
                variables={"TELEALARM_APP": self._ari.app, "TELEALARM_ROLE": "agent"},
            )
        except FateUnknown as error:
            # Events show whether the phone rings. In any case the channel is hung up at the end.
            log.warning("the agent may be rung: %s", error, extra={"channel": agent.channel_id})
        except Unreachable:
            raise
        except AriError as error:
            log.warning("no agent is rung: %s", error, extra={"channel": agent.channel_id})
            self._disposition, self._word = Disposition.FAILED, Response.FAILED
            return False
        return True

    async def _ask(self, channel_io: ChannelIO) -> Outcome:
        """Wait for the agent to pick up, and ask whether they accept the call."""
        context, agent = self._context, self._agent
        try:
            async with asyncio.timeout(context.call.ring_seconds + RING_MARGIN_SECONDS):
                while await _kind(channel_io) != "StasisStart":
                    pass
            self._disposition, self._word = Disposition.ANSWER, Response.NOT_TAKEN
            context.saver.note(transfers.answered, agent, utcnow())
            return Outcome.DONE if await self._agrees(channel_io) else Outcome.NOTHING
        except TimeoutError:
            return Outcome.NOTHING
        except HungUp as left:
            return self._left(left.event)
        except (NotFound, NotInStasis):
            return Outcome.NOTHING  # the agent hung up during a request

    async def _agrees(self, channel_io: ChannelIO) -> bool:
        """Speak the script and wait for the key, as often as the section says.

        Return whether the agent accepts.
        """
        section, order = self._context.section, self._order
        seconds = max(section.timeout_seconds, LEAST_SECONDS)

        def confirm(key: str) -> bool | None:
            return True if key == order.key else None

        for _ in range(section.retries + 1):
            if order.script:
                prompts, script = self._context.services.prompts, self._context.script
                try:
                    prompt = await soon(prompts.script(order.script, script.language, script.owner))
                    if await channel_io.say(prompt, confirm if order.key else nothing):
                        return True
                except SpeechError as error:
                    log.error("the agent is not told whom to take: %s", error)
            if not order.key:
                return True
            await channel_io.hold(seconds)
            if await channel_io.keys(seconds, confirm):
                return True
        return False

    def _left(self, event: AriEvent | None) -> Outcome:
        """Return how the agent's call ended before it was accepted."""
        if self._disposition is Disposition.ANSWER or event is None:
            return Outcome.NOTHING
        self._cause = event.cause or 0
        self._disposition = dispositions.of_call(answered=False, rang=True, cause=self._cause)
        self._word = dispositions.reason(self._disposition, self._cause)
        return Outcome.FAILED if self._disposition in _UNREACHABLE else Outcome.NOTHING

    async def _talk(self, channel_io: ChannelIO) -> None:
        """Connect both in a bridge until the agent hangs up. Raises HungUp if the callee does."""
        callee = self._context.channel_io
        gone = asyncio.Event()

        async def listen() -> None:
            with suppress(HungUp):
                while True:
                    await channel_io.event(TALK_SECONDS)
            gone.set()
            callee.nudge()

        listening = asyncio.create_task(listen(), name=f"agent-{self._agent.id}-talk")
        try:
            await self._ari.bridges.create(self._bridge)
            try:
                await asyncio.gather(callee.enter_bridge(), channel_io.enter_bridge())
                await self._ari.bridges.add(self._bridge, callee.channel.id)
                await self._ari.bridges.add(self._bridge, channel_io.channel.id)
            except (NotFound, RequestRefused) as error:
                log.info("one of the two has hung up: %s", error)
            while not gone.is_set():
                await callee.hold(RENEW_SECONDS, TALK_SECONDS - RENEW_SECONDS)
                try:
                    await channel_io.hold(RENEW_SECONDS, TALK_SECONDS - RENEW_SECONDS)
                except (NotFound, HungUp):
                    break
                # The agent hears the callee's keys now. The survey ignores them.
                await callee.keys(RENEW_SECONDS, nothing, gone.is_set)
        finally:
            callee.leave_bridge()
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _end(self, channel_io: ChannelIO) -> None:
        """Hang up the agent, destroy the bridge, and save the end, whatever has happened."""
        for leave in (channel_io.channel.hangup, partial(self._ari.bridges.destroy, self._bridge)):
            try:
                await leave()
            except AriError as error:
                log.warning("left behind: %s", error, extra={"channel": channel_io.channel.id})
        self._ari.close(channel_io.channel.id)
        context = self._context
        context.saver.note(
            transfers.end,
            context.call,
            self._agent,
            self._word,
            self._disposition,
            self._cause,
            utcnow(),
        )
