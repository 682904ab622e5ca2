"""A transfer: an agent is called, hears whom to take, takes the call with a key; then both talk.

The callee hears ringing meanwhile. A row tells where it stands, so that another session can go on
with a talk, or hang up an agent that nobody waits for any more.
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

# How often the limits of two who talk are renewed, and how long they last without us.
RENEW_SECONDS = 10.0
TALK_SECONDS = 30.0
# How long a transfer waits for its turn among the calls of its gateway.
TURN_SECONDS = 10.0
# Asterisk itself ends the ringing; this is for a lost event.
RING_MARGIN_SECONDS = 5.0

# Neither of the two has left: another session takes over, or Asterisk is out of reach.
_INTERRUPTED = (asyncio.CancelledError, Unreachable, FateUnknown)
# Not a matter of waiting longer.
_UNREACHABLE = (Disposition.BUSY, Disposition.CONGESTION, Disposition.FAILED)


@dataclass(frozen=True)
class Order:
    """Whom to call (empty: the alarm's number), what the agent hears, filled in, and the key that
    takes the call; empty: none is needed.
    """

    number: str
    script: str
    key: str


async def transfer(scene: ActiveSection, order: Order) -> Outcome:
    """Returns DONE after a talk that the agent has ended, NOTHING if nobody took the call, or
    FAILED (busy, wrong number).

    Raises HungUp where the callee does; then the agent is hung up too.
    """
    means, call = scene.means, scene.call
    agent = await means.db.write(transfers.latest, call, scene.section.id)
    if agent is not None and agent.taken and agent.ended:
        return Outcome.DONE
    if agent is not None and not agent.ended:
        if agent.taken and await _lives(scene, agent):
            return await _Transfer(scene, order, agent).go_on()
        await scene.line.silence()
        await means.ari.open(agent.channel_id).hangup()
        means.ari.close(agent.channel_id)
        await means.write(
            transfers.end, call, agent, Response.NO_ANSWER, Disposition.CANCEL, 0, utcnow()
        )
        if agent.taken:
            return Outcome.DONE
    agent = await means.db.write(transfers.begin, call, scene.section.id, order.number)
    return Outcome.FAILED if agent is None else await _Transfer(scene, order, agent).run()


async def _kind(line: ChannelIO) -> str:
    event = await line.event(RENEW_SECONDS)
    return event.type if event else ""


async def _lives(scene: ActiveSection, agent: Agent) -> bool:
    with suppress(NotFound):
        await scene.means.ari.channels.get(agent.channel_id)
        return True
    return False


class _Transfer:
    def __init__(self, scene: ActiveSection, order: Order, agent: Agent) -> None:
        self._scene = scene
        self._order = order
        self._agent = agent
        self._ari = scene.means.ari
        self._bridge = f"{agent.channel_id}-bridge"
        self._disposition: Disposition | None = None
        self._cause = 0
        # The survey result, where nobody takes the call.
        self._word: str = Response.NO_ANSWER

    async def run(self) -> Outcome:
        """Call the agent, and let the two talk."""
        scene, agent = self._scene, self._agent
        channel = self._ari.open(agent.channel_id)
        with self._line(channel) as line:
            try:
                how = await self._won(line)
                if how == Outcome.DONE:
                    await scene.means.write(transfers.taken, scene.call, agent, utcnow())
                    await scene.line.quiet()
                    await self._talk(line)
            except _INTERRUPTED:
                raise  # the session that comes next goes on with both
            except BaseException:
                await self._end(line)
                raise
            await self._end(line)
            await scene.line.quiet()
            return how

    async def go_on(self) -> Outcome:
        """Go on with a talk that an earlier session has begun, or was about to."""
        await self._scene.line.silence()
        channel = self._ari.open(self._agent.channel_id)
        with self._line(channel) as line:
            try:
                await self._talk(line)
            except _INTERRUPTED:
                raise
            except BaseException:
                await self._end(line)
                raise
            await self._end(line)
            return Outcome.DONE

    def _line(self, channel: Channel) -> ChannelIO:
        limit, files = self._scene.call.limit_seconds, self._scene.means.files
        return ChannelIO(channel, limit, "StasisStart", files=files)

    async def _won(self, line: ChannelIO) -> Outcome:
        """DONE as soon as the agent takes the call. The callee's keys are kept for later."""
        callee = self._scene.line
        if not await self._has_turn() or not await self._rings():
            return Outcome.FAILED
        asking = asyncio.create_task(self._ask(line), name=f"agent-{self._agent.id}")
        asking.add_done_callback(lambda _: callee.nudge())
        try:
            while not asking.done():
                # Asterisk takes no other order for a channel while something plays on it.
                await callee.quiet()
                await callee.hold(RENEW_SECONDS)
                await callee.sound(RINGING)
                await callee.keys(RENEW_SECONDS, self._keep_key, asking.done)
            return asking.result()
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    async def _has_turn(self) -> bool:
        """Wait until one more call may leave by the gateway, at its pace. Raises HungUp."""
        callee, until = self._scene.line, monotonic() + TURN_SECONDS
        db, gateway = self._scene.means.db, self._agent.gateway
        await callee.sound(RINGING)
        while isinstance(slot := await db.write(call_rate.redraw, gateway), float):
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
        self._scene.ahead(key)

    async def _rings(self) -> bool:
        """Place the call. To its end, so that no agent is rung after the callee has gone."""
        scene, agent = self._scene, self._agent
        try:
            await self._ari.channels.originate(
                channel_id=agent.channel_id,
                endpoint=agent.endpoint,
                context=CONTEXT,
                extension=EXTENSION,
                caller_id=scene.call.caller_id,
                timeout_seconds=scene.call.ring_seconds,
                variables={"TELEALARM_APP": self._ari.app, "TELEALARM_ROLE": "agent"},
            )
        except FateUnknown as error:
            # Its events tell whether it rings; what is never heard of is hung up in the end.
            log.warning("the agent may be rung: %s", error, extra={"channel": agent.channel_id})
        except Unreachable:
            raise
        except AriError as error:
            log.warning("no agent is rung: %s", error, extra={"channel": agent.channel_id})
            self._disposition, self._word = Disposition.FAILED, Response.FAILED
            return False
        return True

    async def _ask(self, line: ChannelIO) -> Outcome:
        """Wait for the agent to pick up, and ask whether they take the call."""
        scene, agent = self._scene, self._agent
        try:
            async with asyncio.timeout(scene.call.ring_seconds + RING_MARGIN_SECONDS):
                while await _kind(line) != "StasisStart":
                    pass
            self._disposition, self._word = Disposition.ANSWER, Response.NOT_TAKEN
            await scene.means.write(transfers.answered, agent, utcnow())
            return Outcome.DONE if await self._agrees(line) else Outcome.NOTHING
        except TimeoutError:
            return Outcome.NOTHING
        except HungUp as left:
            return self._left(left.event)
        except (NotFound, NotInStasis):
            return Outcome.NOTHING  # they hung up as something was asked of their channel

    async def _agrees(self, line: ChannelIO) -> bool:
        """Say whom to take, and wait for the key, as often as the section says."""
        section, order = self._scene.section, self._order
        seconds = max(section.timeout_seconds, LEAST_SECONDS)

        def confirm(key: str) -> bool | None:
            return True if key == order.key else None

        for _ in range(section.retries + 1):
            if order.script:
                prompts, language = self._scene.means.prompts, self._scene.script.language
                try:
                    prompt = await soon(prompts.script(order.script, language))
                    if await line.say(prompt, confirm if order.key else nothing):
                        return True
                except SpeechError as error:
                    log.error("the agent is not told whom to take: %s", error)
            if not order.key:
                return True
            await line.hold(seconds)
            if await line.keys(seconds, confirm):
                return True
        return False

    def _left(self, event: AriEvent | None) -> Outcome:
        """How the agent's call ended before it was taken."""
        if self._disposition is Disposition.ANSWER or event is None:
            return Outcome.NOTHING
        self._cause = event.cause or 0
        self._disposition = dispositions.of_call(answered=False, rang=True, cause=self._cause)
        self._word = dispositions.reason(self._disposition, self._cause)
        return Outcome.FAILED if self._disposition in _UNREACHABLE else Outcome.NOTHING

    async def _talk(self, line: ChannelIO) -> None:
        """Both in a bridge, until the agent hangs up. Raises HungUp where the callee does."""
        callee = self._scene.line
        gone = asyncio.Event()

        async def listen() -> None:
            with suppress(HungUp):
                while True:
                    await line.event(TALK_SECONDS)
            gone.set()
            callee.nudge()

        listening = asyncio.create_task(listen(), name=f"agent-{self._agent.id}-talk")
        try:
            await self._ari.bridges.create(self._bridge)
            try:
                await self._ari.bridges.add(self._bridge, callee.channel.id)
                await self._ari.bridges.add(self._bridge, line.channel.id)
            except (NotFound, RequestRefused) as error:
                log.info("one of the two has hung up: %s", error)
            while not gone.is_set():
                await callee.hold(RENEW_SECONDS, TALK_SECONDS - RENEW_SECONDS)
                try:
                    await line.hold(RENEW_SECONDS, TALK_SECONDS - RENEW_SECONDS)
                except (NotFound, HungUp):
                    break
                # What is keyed now is heard by the agent.
                await callee.keys(RENEW_SECONDS, nothing, gone.is_set)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _end(self, line: ChannelIO) -> None:
        """Neither the agent nor the bridge is left behind, whatever has happened."""
        for leave in (line.channel.hangup, partial(self._ari.bridges.destroy, self._bridge)):
            try:
                await leave()
            except AriError as error:
                log.warning("left behind: %s", error, extra={"channel": line.channel.id})
        self._ari.close(line.channel.id)
        scene = self._scene
        await scene.means.write(
            transfers.end,
            scene.call,
            self._agent,
            self._word,
            self._disposition,
            self._cause,
            utcnow(),
        )
