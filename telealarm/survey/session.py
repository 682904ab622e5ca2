"""A survey session: what the machine wants done, done on an answered channel.

A key is kept in the database before anything else follows from it. At each step the channel's
absolute time limit is set to what the step may take: should this process die, Asterisk ends the
call with an apology soon after, instead of leaving the callee to silence.
"""

import asyncio
import itertools
import logging
import math
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType

from telealarm.asterisk.ari import Channel, Event, Playback
from telealarm.clock import monotonic, utcnow
from telealarm.errors import SpeechError, Stale, StorageError
from telealarm.log import by_ids
from telealarm.rules.states import SectionType
from telealarm.store import sessions
from telealarm.store.calls import Call
from telealarm.store.database import Database
from telealarm.store.recordings import Recording
from telealarm.store.sessions import Script
from telealarm.survey import machine
from telealarm.survey.machine import Command, Enter, HangUp, Keep, Listen, Machine, Say
from telealarm.survey.prompts import NO_SPEECH, Prompt, Prompts

log = logging.getLogger(__name__)

# Longer than a playback takes by its length: fetching it, and a busy Asterisk.
PLAY_MARGIN_SECONDS = 10.0
BROKEN_OFF_SECONDS = 0.1
# Between the tries to keep a step in a database that is in trouble.
PAUSES_SECONDS = (0.1, 0.3, 1.0, 2.0)
# Until the next step renews the channel's time limit; a restart of the service fits in.
STEP_MARGIN_SECONDS = 15.0


class Survey:
    """Prepares and runs the survey of a call."""

    def __init__(self, db: Database, prompts: Prompts) -> None:
        self._db = db
        self._prompts = prompts
        # Why Asterisk could not play the last prompt, or None.
        self.trouble: str | None = None

    async def prepare(self, call: Call) -> None:
        """Render what will be said, so that the callee is spoken to at once."""
        script = await self._db.write(partial(sessions.load, call))
        for error in await self.render(script):
            by_ids(log, alarm=call.alarm_id).error("%s", error)
            await self._db.write(partial(sessions.speech_failed, call, str(error)))

    async def render(self, script: Script) -> list[SpeechError]:
        """Render all that may be said, where it is not kept yet; returns what of it failed.

        Raises SpeechError where our own words cannot be kept anywhere.
        """
        failed = []
        for section in script.sections:
            if section.recording or section.text:
                try:
                    await self._prompts.section(section, script.language)
                except SpeechError as error:
                    failed.append(error)
        for name in (machine.INVALID_KEY, machine.GOODBYE, machine.NO_ANSWER):
            await self._prompts.system(name, script.language)
        return failed

    async def converse(self, call: Call, channel: Channel) -> None:
        """Run the survey, from where an earlier session left it, to its end or the hang-up."""
        script = await self._db.write(partial(sessions.load, call))
        with Session(call, channel, self._db, self._prompts, script) as session:
            try:
                await session.run()
            except SpeechError as error:
                self.trouble = str(error)
                await self._db.write(partial(sessions.speech_failed, call, str(error)))
                raise
            self.trouble = None


class _HungUp(Exception):
    """The channel has left."""


class Session:
    def __init__(
        self, call: Call, channel: Channel, db: Database, prompts: Prompts, script: Script
    ) -> None:
        self._call = call
        self._channel = channel
        self._db = db
        self._prompts = prompts
        self._script = script
        self._sections = {section.id: section for section in script.sections}
        self._machine = Machine(
            (
                machine.Section(
                    id=section.id,
                    type=SectionType(section.type),
                    keys=section.keys,
                    retries=section.retries,
                    timeout_seconds=float(section.timeout_seconds),
                    branches=section.branches,
                )
                for section in script.sections
            ),
            script.at,
            script.lap,
        )
        self._place = (script.at, script.lap)
        self._heard = script.heard
        self._log = by_ids(log, alarm=call.alarm_id, request=call.request_id, channel=channel.id)
        # Unlike those of an earlier session of this channel.
        self._run_id = f"{utcnow().timestamp():.6f}"
        self._numbers = itertools.count(1)
        # What is to be stopped before anything else is said; first what another session said.
        self._playing: Playback | None = None
        if script.playback:
            self._playing = channel.playback(script.playback)
        self._stopping: asyncio.Task[None] | None = None
        self._events = channel.events(
            "ChannelDtmfReceived", "PlaybackFinished", "ChannelDestroyed", "StasisEnd"
        )
        answered = script.answered or utcnow()
        # The clock may have been put back since.
        gone_by = max(0.0, (utcnow() - answered).total_seconds())
        self._deadline = monotonic() + call.limit_seconds - gone_by

    def __enter__(self) -> "Session":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._events.close()

    async def run(self) -> None:
        """Do what the machine says until it hangs up or the callee does."""
        self._log.info("session begins in section %s, lap %d", *self._place)
        try:
            commands: Sequence[Command] = self._machine.begin()
            while commands:
                commands = await self._do(commands)
        except _HungUp:
            self._log.info("session ends: hung up")

    async def _do(self, commands: Sequence[Command]) -> Sequence[Command]:
        """Do the commands in order; returns what the machine says to what happened then."""
        for command in commands:
            if isinstance(command, Keep):
                await self._keep(command)
            elif isinstance(command, Enter):
                await self._enter(command)
        says = [command for command in commands if isinstance(command, Say)]
        last = commands[-1]
        if isinstance(last, HangUp):
            await self._channel.hangup()
            self._log.info("session ends: survey over")
            return ()
        if isinstance(last, Listen):
            return await self._listen(last)
        for say in says:
            interrupted = await self._say(say)
            if interrupted:
                return interrupted
        return self._machine.heard()

    async def _keep(self, command: Keep) -> None:
        self._log.info("key %s in section %d", command.response, command.section)
        await self._write(
            partial(
                sessions.keep,
                self._call,
                command.section,
                command.response,
                rating=command.rating,
                following=command.following,
            )
        )
        self._place = (command.following, 0)

    async def _write(self, change: Callable[[], None]) -> None:
        """Keep a step, and try again while the database is in trouble: a key must not be lost.

        Raises Fenced where another worker has the call, StorageError after the last try.
        """
        for pause in PAUSES_SECONDS:
            try:
                await self._db.write(change)
                return
            except Stale:
                raise
            except StorageError as error:
                self._log.error("%s; trying again", error)
                await asyncio.sleep(pause)
        await self._db.write(change)

    async def _enter(self, command: Enter) -> None:
        place = (command.section, command.lap)
        if place != self._place or command.section is None:
            await self._write(partial(sessions.enter, self._call, *place))
            self._place = place

    async def _say(self, say: Say) -> Sequence[Command]:
        """Speak to the end, or until a key cuts it: then what the machine says to the key."""
        prompt = await self._prompt(say)
        if prompt is None:
            return ()
        for media in prompt.media:
            playback_id = f"{self._channel.id}-{self._run_id}-{next(self._numbers)}"
            await asyncio.gather(
                self._stopped(),
                self._hold(prompt.seconds),
                self._write(partial(sessions.playing, self._call, playback_id)),
            )
            self._playing = await self._channel.play(media, playback_id)
            event = await self._event(prompt.seconds + PLAY_MARGIN_SECONDS, playback_id)
            if isinstance(event, tuple):
                await self._was_heard()
                return event
            if event is None or event.playback_state != "failed":
                break
            # A playback that a hang-up broke off has failed too: its news follow at once.
            event = await self._event(BROKEN_OFF_SECONDS)
            if isinstance(event, tuple):
                return event
            self._log.warning("Asterisk could not play %s", media)
        else:
            raise SpeechError(
                f"Asterisk can play none of {', '.join(prompt.media)}; check that it reaches"
                " prompts.url, or reads prompts.folder"
            )
        self._playing = None
        if say.section is not None:
            await self._was_heard()
        return ()

    async def _was_heard(self) -> None:
        """The first prompt came to its end, or the callee had heard enough and pressed a key."""
        if not self._heard:
            self._heard = True
            await self._write(partial(sessions.heard, self._call))

    async def _listen(self, listen: Listen) -> Sequence[Command]:
        await self._hold(listen.seconds)
        event = await self._event(listen.seconds)
        return event if isinstance(event, tuple) else self._machine.timed_out()

    async def _event(
        self, seconds: float, playback_id: str | None = None
    ) -> tuple[Command, ...] | Event | None:
        """What comes first: a key that counts (as the machine's answer to it), the end of the
        playback, or None after `seconds`. Raises _HungUp.
        """
        until = monotonic() + seconds
        while (left := until - monotonic()) > 0:
            try:
                event = await self._events.get(left)
            except TimeoutError:
                break
            if event.type == "ChannelDtmfReceived":
                if commands := self._machine.keyed(event.digit or ""):
                    # Cut what plays at once, while the key is being kept.
                    self._stopping = asyncio.create_task(self._stop())
                    return tuple(commands)
            elif event.type == "PlaybackFinished":
                if event.playback_id == playback_id:
                    return event
            else:
                raise _HungUp
        return None

    async def _stopped(self) -> None:
        """Nothing plays any more."""
        stopping, self._stopping = self._stopping, None
        await (stopping or self._stop())

    async def _stop(self) -> None:
        playing, self._playing = self._playing, None
        if playing is not None:
            await playing.stop()

    async def _hold(self, seconds: float) -> None:
        """Let the channel live as long as the step may take, and no longer than the call may."""
        left = self._deadline - monotonic()
        if left <= 0:
            self._log.warning("hung up: the call has reached its time limit")
            await self._channel.hangup()
            raise _HungUp
        limit = math.ceil(min(left, seconds + STEP_MARGIN_SECONDS))
        await self._channel.set_variable("TIMEOUT(absolute)", str(limit))

    async def _prompt(self, say: Say) -> Prompt | None:
        """The prompt, or None where there is nothing to say (an empty text)."""
        language = self._script.language
        if say.text is not None:
            own = self._own_wrong_key() if say.text == machine.INVALID_KEY else None
            if own is not None:
                try:
                    return await self._prompts.recording(own)
                except SpeechError as error:
                    self._log.error("%s", error)
            return await self._prompts.system(say.text, language)
        section = self._sections[say.section] if say.section is not None else None
        if section is None or not (section.recording or section.text):
            return None
        try:
            return await self._prompts.section(section, language)
        except SpeechError as error:
            self._log.error("%s", error)
            return await self._prompts.system(NO_SPEECH, language)

    def _own_wrong_key(self) -> Recording | None:
        """What the section that the session is in has recorded for a key that it does not offer."""
        at = self._place[0]
        return self._sections[at].wrong_key if at is not None else None
