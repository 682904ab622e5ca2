"""A survey session: it carries out the machine's commands on an answered channel.

A key is saved in the database before it has any other effect.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from telealarm.asterisk.ari import Channel
from telealarm.clock import monotonic, utcnow
from telealarm.errors import Fenced, SpeechError, SpeechLate
from telealarm.i18n import ENGLISH
from telealarm.log import by_ids
from telealarm.sections.context import ActionResult
from telealarm.store.dialing.calls import Call
from telealarm.store.survey import session_progress, session_state
from telealarm.store.survey.audio_files import Recording
from telealarm.store.survey.session_state import Script, ScriptSection
from telealarm.survey import read_back
from telealarm.survey.amd import keys_of_person
from telealarm.survey.channel_io import ChannelIO, HungUp, nothing
from telealarm.survey.commands import (
    GOODBYE,
    INVALID_KEY,
    NO_ANSWER,
    NOT_SAVED,
    ONE_MOMENT,
    Act,
    Command,
    EndCall,
    Enter,
    KeepAnswer,
    Listen,
    Say,
)
from telealarm.survey.ivr_step import IvrStep
from telealarm.survey.machine import Machine
from telealarm.survey.saver import NotSaved, Saver
from telealarm.survey.section_actions import SectionActions
from telealarm.survey.section_context import ActiveSection, SessionServices
from telealarm.survey.tts.prompts import NO_SPEECH, Prompt, soon

log = logging.getLogger(__name__)

# The most calls that are prepared and not yet answered. Others read their script after the answer.
PREPARED = 2000
# How long a call waits for its prompts, and from which wait on its timeline says so.
WAIT_SECONDS, NOTED_SECONDS = 10.0, 2.0
# How long the callee waits for a text for which the call waited in vain.
LATE_SECONDS = 0.2


@dataclass(frozen=True)
class Prepared:
    """What a session begins with. `first` is the prompt of its first section.

    `late`: the call waited in vain for its texts. If the first is still not there, the callee does
    not wait for it too.
    """

    script: Script
    first: Prompt | None = None
    late: bool = False


class SurveyRunner:
    """Prepares and runs the survey of a call."""

    def __init__(self, services: SessionServices, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self._services = services
        self._wait_seconds = wait_seconds
        # Why Asterisk could not play the last prompt; None if it could.
        self.trouble: str | None = None
        # The scripts that were read before the answer, so that the callee need not wait.
        self._prepared: OrderedDict[int, Prepared] = OrderedDict()
        # What is rendered; also for calls that do not wait for it any more.
        self._rendering: set[asyncio.Task[list[SpeechError]]] = set()

    async def prepare(self, call: Call) -> None:
        """Render the prompts of a call, so that the callee hears the first one at once.

        After `wait_seconds` the call leaves without them. The callee hears a stock message instead
        of a text that is still not there.
        """
        services, began = self._services, monotonic()
        script = await services.db.write(session_state.load, call)
        errors = await self.render(script, self._wait_seconds)
        late = False
        for error in errors:
            by_ids(log, alarm=call.alarm_id).error("%s", error)
            if isinstance(error, SpeechLate):
                late = True
                await services.db.write(session_progress.speech_late, call, str(error))
            else:
                await services.db.write(session_progress.speech_failed, call, str(error))
        waited = monotonic() - began
        if waited > NOTED_SECONDS and not late:
            why = f"the call waited {waited:.1f} s until its texts were rendered"
            await services.db.write(session_progress.speech_late, call, why)
        self._prepared[call.id] = Prepared(script, await self._first(script, late=late), late)
        if len(self._prepared) > PREPARED:
            self._prepared.popitem(last=False)

    async def _first(self, script: Script, *, late: bool) -> Prompt | None:
        """Return the first prompt, or None if it is not known before the call."""
        for section in script.sections:
            if section.id == script.at and (section.recording or section.text):
                with suppress(SpeechError):  # already reported
                    prompt = self._services.prompts.section(section, script.language, script.owner)
                    return await soon(prompt, LATE_SECONDS) if late else await prompt
        return None

    async def render(self, script: Script, seconds: float | None = None) -> list[SpeechError]:
        """Render all prompts that are not in the cache. Return the errors.

        After `seconds` the rest is not waited for, and a SpeechLate is returned. It is rendered all
        the same. None: no limit. Raises SpeechError if our own prompts cannot be saved anywhere.
        """
        task = asyncio.create_task(self._render_texts(script))
        self._rendering.add(task)
        task.add_done_callback(self._rendered)
        done, _ = await asyncio.wait([task], timeout=seconds)
        failed = task.result() if done else [_late(seconds)]
        texts = [INVALID_KEY, GOODBYE, NO_ANSWER, NO_SPEECH, ONE_MOMENT, NOT_SAVED]
        texts += [name for section in script.sections for name in section.kind.prompts]
        for name in dict.fromkeys(texts):
            await self._services.prompts.system(name, script.language)
        return failed

    async def _render_texts(self, script: Script) -> list[SpeechError]:
        """Render the manager's texts, in the order of their sections. Return the errors."""
        failed = []
        for number, section in enumerate(script.sections, 1):
            if section.wordless:
                failed.append(
                    SpeechError(f"section {number} has nothing to say: no value is there")
                )
            try:
                await self._render(section, script)
            except SpeechError as error:
                failed.append(error)
        if script.voicemail_text is not None:
            try:
                await self._services.prompts.script(*script.voicemail_text, script.owner)
            except SpeechError as error:
                failed.append(error)
        return failed

    def _rendered(self, task: asyncio.Task[list[SpeechError]]) -> None:
        self._rendering.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("rendering failed", exc_info=error)

    async def _render(self, section: ScriptSection, script: Script) -> None:
        prompts, owner = self._services.prompts, script.owner
        if section.recording or section.text:
            await prompts.section(section, script.language, owner)
        for text in section.scripts:
            await prompts.script(text, script.language, owner)
        if script.confirms:
            for answer in read_back.possible(section):
                await prompts.script(*read_back.words(section, answer, script.language), owner)

    async def converse(self, call: Call, channel: Channel) -> None:
        """Run the survey to its end or the hang-up, from where an earlier session left it.

        Raises SpeechError if Asterisk can play no prompt.
        """
        services, ids = self._services, by_ids(log, alarm=call.alarm_id, channel=channel.id)
        with ChannelIO(channel, call.limit_seconds, files=services.files) as channel_io:
            saver = Saver(services.db, services.prompts, call, channel_io, ENGLISH)
            try:
                prepared = self._prepared.pop(call.id, None)
                if prepared is None:
                    prepared = Prepared(await saver.ask(session_state.load, call))
                    await channel.stop_playbacks()  # an earlier session may have begun some
                script = prepared.script
                saver.language = script.language
                if script.answered is not None:
                    up = (utcnow() - script.answered).total_seconds()
                    channel_io.limit(call.limit_seconds - up)
                keys = await keys_of_person(services, call, script, channel_io, saver)
                if keys is not None:
                    await Session(call, channel_io, services, saver, prepared, keys).run()
            except HungUp:
                ids.info("hung up")
            except NotSaved as error:
                ids.error("%s", error)
                saver.note(session_progress.enter, call, None, 0, "")
                await self._take_leave(channel_io, saver.language)
            except SpeechError as error:
                self.trouble = str(error)
                saver.note(session_progress.speech_failed, call, str(error))
                raise
            self.trouble = None

    async def _take_leave(self, channel_io: ChannelIO, language: str) -> None:
        """Tell the callee that the answer is not saved yet, and hang up."""
        with suppress(HungUp):
            await channel_io.tell(await self._services.prompts.system(NOT_SAVED, language))
            await channel_io.channel.hangup()


def _late(seconds: float | None) -> SpeechError:
    return SpeechLate(
        f"the texts were not rendered within {seconds:g} s: the speech engines have much to do or"
        " are slow; whoever answers hears a stock message instead of a text that is still not there"
    )


class Session:
    """Runs the survey of one call on its channel. `ahead`: keys that were pressed before."""

    def __init__(
        self,
        call: Call,
        channel_io: ChannelIO,
        services: SessionServices,
        saver: Saver,
        prepared: Prepared,
        ahead: str,
    ) -> None:
        script = prepared.script
        self._first = prepared.first
        self._patience = LATE_SECONDS if prepared.late else None
        self._call = call
        self._channel_io = channel_io
        self._services = services
        self._saver = saver
        self._script = script
        self._sections = {section.id: section for section in script.sections}
        self._machine = Machine(
            map(IvrStep.of, script.sections),
            script.at,
            script.lap,
            acting=script.acting,
            confirms=script.confirms,
            ahead=ahead,
        )
        self._place = (script.at, script.lap)
        self._acting = script.acting
        # Whether it is saved that the survey is over.
        self._over = False
        self._completed = script.completed
        self._heard = script.heard
        ids = {"alarm": call.alarm_id, "request": call.request_id}
        self._log = by_ids(log, **ids, channel=channel_io.channel.id)
        if script.playback:
            channel_io.plays(script.playback)

    async def run(self) -> None:
        """Carry out the machine's commands until it hangs up or the callee does."""
        self._log.info("session begins in section %s, lap %d", *self._place)
        try:
            commands: Sequence[Command] = self._machine.begin()
            while commands:
                commands = await self._do(commands)
        except HungUp:
            self._log.info("session ends: hung up")

    async def _do(self, commands: Sequence[Command]) -> Sequence[Command]:
        """Carry out the commands in order. Return the machine's next commands.

        Answers and places are saved first, because a key that cuts a prompt ends the commands.
        """
        self._saver.check()
        for command in commands:
            if isinstance(command, KeepAnswer):
                await self._keep(command)
            elif isinstance(command, Enter):
                self._enter(command)
        for command in commands:
            if isinstance(command, Say):
                cut = await self._say(command)
                if cut is not None:
                    return cut
            elif isinstance(command, Listen):
                await self._channel_io.hold(command.seconds)
                keyed = await self._channel_io.keys(command.seconds, self._react)
                return self._machine.timed_out() if keyed is None else keyed
            elif isinstance(command, Act):
                return self._machine.done(await self._act(command))
            elif isinstance(command, EndCall):
                await self._break_silence()
                await self._channel_io.channel.hangup()
                self._log.info("session ends: survey over")
                return ()
        return self._machine.heard()

    async def _keep(self, command: KeepAnswer) -> None:
        self._log.info("key %s in section %d", command.response, command.section)
        ours = await self._saver.save(
            session_progress.keep,
            self._call,
            session_progress.Answer(
                command.section,
                command.response,
                command.rating,
                command.following,
                self._completes(command.following),
            ),
        )
        if not ours:
            raise Fenced(f"call {self._call.id} is another worker's now")
        self._place = (command.following, 0)
        self._acting = False
        self._over = command.following is None

    def _enter(self, command: Enter) -> None:
        place = (command.section, command.lap)
        known = place == self._place and not self._acting
        completes = self._completes(command.section)
        ends = command.section is None and not self._over
        if ends or not known or completes:
            self._saver.note(session_progress.enter, self._call, *place, completes)
            self._place, self._acting = place, False

    def _completes(self, section: int | None) -> str:
        """Return what the timeline says of the first section marked `completed`; else empty."""
        if section is None or self._completed or not self._sections[section].completes:
            return ""
        self._completed = True
        return self._sections[section].completes

    async def _act(self, command: Act) -> ActionResult:
        section = self._sections[command.section]
        self._log.info("section %d: %s", section.id, section.kind.word)
        if not self._acting:
            self._acting = True
            self._saver.note(session_progress.acting, self._call)
        self._was_heard()
        active = ActiveSection(
            self._services,
            self._call,
            self._script,
            section,
            self._channel_io,
            self._saver,
            self._machine.keyed,
        )
        return await section.kind.act(SectionActions(active))

    async def _say(self, say: Say) -> Sequence[Command] | None:
        """Speak a prompt. Return None at its end, or the machine's commands for a key."""
        prompt = await self._prompt(say)
        if prompt is None:
            return None
        cut = await self._channel_io.say(prompt, self._react)
        if any(isinstance(command, KeepAnswer) for command in cut or ()):
            self._heard = True  # the answer is saved with it
        self._was_heard()
        return cut

    async def _break_silence(self) -> None:
        """If the callee has heard nothing because all texts were empty, say that."""
        if not self._heard:
            prompt = await self._services.prompts.system(NO_SPEECH, self._script.language)
            await self._channel_io.say(prompt, nothing)
            self._was_heard()

    def _react(self, key: str) -> Sequence[Command] | None:
        return self._machine.keyed(key) or None

    def _was_heard(self) -> None:
        """Save that the callee heard the first prompt, to its end or until a key."""
        if not self._heard:
            self._heard = True
            self._saver.note(session_progress.heard, self._call)

    async def _prompt(self, say: Say) -> Prompt | None:
        """Return the prompt, or None if there is nothing to say (an empty text)."""
        prompts, language = self._services.prompts, self._script.language
        if say.text is not None:
            own = self._own_wrong_key() if say.text == INVALID_KEY else None
            if own is not None:
                try:
                    return await prompts.recording(own)
                except SpeechError as error:
                    self._log.error("%s", error)
            return await prompts.system(say.text, language)
        first, self._first = self._first, None
        section = self._sections[say.section] if say.section is not None else None
        if section is None:
            return None
        if say.answer is not None:
            return await self._understood(section, say.answer)
        if not (section.recording or section.text):
            return await prompts.system(NO_SPEECH, language) if section.wordless else None
        if first is not None and section.id == self._script.at:
            return first
        try:
            text = prompts.section(section, language, self._script.owner)
            return await soon(text, self._patience if section.id == self._script.at else None)
        except SpeechError as error:
            self._log.error("%s", error)
            return await prompts.system(NO_SPEECH, language)

    async def _understood(self, section: ScriptSection, answer: str) -> Prompt | None:
        words = read_back.words(section, answer, self._script.language)
        try:
            return await soon(self._services.prompts.script(*words, self._script.owner))
        except SpeechError as error:
            self._log.error("the answer is not spoken back: %s", error)
            return None

    def _own_wrong_key(self) -> Recording | None:
        """Return the current section's recording for wrong keys, or None."""
        at = self._place[0]
        return self._sections[at].wrong_key if at is not None else None
