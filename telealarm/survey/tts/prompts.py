"""Prompts: texts as sound files, rendered before the call, and named by their content.

A prompt's name is a keyed hash. So the same words are rendered once, and nobody without the
installation's key can find out whether words were spoken. Asterisk fetches a prompt over HTTP,
which works for every set-up (another host, a chroot, a container). If that fails, Asterisk on this
host plays it from the folder.
"""

import asyncio
import logging
import math
import wave
from collections import OrderedDict
from collections.abc import Awaitable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from telealarm import i18n
from telealarm.clock import monotonic
from telealarm.errors import SpeechError, unwritable
from telealarm.installation_key import InstallationKey
from telealarm.rules import audio
from telealarm.store.survey.audio_files import AudioFolder, Recording
from telealarm.store.survey.session_state import ScriptSection
from telealarm.survey.tts.cache import Cache
from telealarm.survey.tts.speech import Speech
from telealarm.survey.tts.turns import Turns

log = logging.getLogger(__name__)

NO_SPEECH = "no-speech"
_MAX_BYTES = 500_000_000
# A caller waits at most this long in silence for a text that is not rendered yet.
SOON_SECONDS = 3.0
# A failed text is not tried again before this, and how many failures are remembered.
AGAIN_SECONDS = 30.0
_MOST_FAILED = 1000
# How many texts each engine renders at once. Rendering needs the processor: more would only delay
# the calls that are up.
PLACES = 3
# How long the file of a prompt is taken to be there after it was found, and how many are.
RECENT_SECONDS = 2.0
_MOST_RECENT = 2000
# The tenant of our own texts. Others are managers, by their id.
OURS = 0


async def soon(prompt: Awaitable["Prompt"], seconds: float | None = None) -> "Prompt":
    """Return `prompt` for a caller who is waiting for it, within `seconds` (SOON_SECONDS).

    Raises SpeechError, also if it takes too long. The rendering continues, for the next time.
    """
    most = SOON_SECONDS if seconds is None else seconds
    try:
        async with asyncio.timeout(most):
            return await prompt
    except TimeoutError:
        raise SpeechError(f"a text was not rendered within {most:g} s") from None


@dataclass(frozen=True)
class Prompt:
    """A sound, its addresses for Asterisk (best first), and how long it plays.

    `wide`: the first address, of 16 kHz. At the other address Asterisk chooses the rate itself.
    """

    name: str
    media: tuple[str, ...]
    seconds: float
    wide: str | None = None


class _Recent:
    """The prompts whose files were there a moment ago: a crowd's calls do not look again."""

    def __init__(self) -> None:
        self._found: OrderedDict[str, tuple[float, Prompt]] = OrderedDict()

    def get(self, key: str) -> Prompt | None:
        """Return the prompt with this key if it was found within RECENT_SECONDS."""
        at, prompt = self._found.get(key, (-math.inf, None))
        return prompt if monotonic() - at < RECENT_SECONDS else None

    def put(self, key: str, prompt: Prompt) -> None:
        """Keep a prompt that was found now."""
        self._found[key] = monotonic(), prompt
        self._found.move_to_end(key)
        if len(self._found) > _MOST_RECENT:
            self._found.popitem(last=False)


class Prompts:
    """Renders and stores prompts.

    `folder` holds them, up to `max_bytes` of rendered prompts. `url` is where Asterisk fetches
    them. `key` makes their names: workers that share the folder have the same.
    """

    def __init__(
        self,
        folder: Path,
        url: str,
        speech: Speech,
        *,
        key: InstallationKey,
        max_bytes: int = _MAX_BYTES,
    ) -> None:
        self._key = key
        self._cache = Cache(folder, max_bytes)
        self._url = url
        self._speech = speech
        self._system: dict[tuple[str, str], Prompt] = {}
        self._recent = _Recent()
        self._recordings = AudioFolder(folder)
        # Whether a file is there, while that is looked up, by name; and for our own texts.
        self._looking: dict[str, asyncio.Task[Prompt | None]] = {}
        self._system_turn = asyncio.Lock()
        # What is being rendered, by name and tenant: no manager waits for another's turn.
        self._rendering: dict[tuple[str, int], asyncio.Task[Prompt]] = {}
        # Texts that could not be spoken, by name and tenant: until when, and why.
        self._failed: OrderedDict[tuple[str, int], tuple[float, str]] = OrderedDict()
        self._turns: dict[str, Turns] = {}
        self._sounds = resources.files("telealarm.sounds")

    async def script(self, text: str, language: str, tenant: int = OURS) -> Prompt:
        """Return the prompt for `text` in `language`. Raises SpeechError if it cannot be spoken.

        `tenant` is the manager whose text it is: texts are rendered in turns by manager.
        """
        engine = self._speech.engine(language)
        spoken = "\0".join((engine.line if engine else "", language, text))
        if (recent := self._recent.get(spoken)) is not None:
            return recent
        name = self._name(spoken)
        kept = await self._look(name)
        if kept is not None:
            self._recent.put(spoken, kept)
            return kept
        key = name, tenant
        until, why = self._failed.get(key, (0.0, ""))
        if monotonic() < until:
            raise SpeechError(why)
        # Calls with the same words share one rendering. The end of a call does not cancel it.
        task = self._rendering.get(key)
        if task is None:
            turns = self._turns.setdefault(engine.line if engine else "", Turns(PLACES))
            task = asyncio.create_task(self._render(key, text, language, turns))
            self._rendering[key] = task
            task.add_done_callback(lambda _: self._rendering.pop(key, None))
        return await asyncio.shield(task)

    async def section(self, section: ScriptSection, language: str, tenant: int = OURS) -> Prompt:
        """Return what a section plays: its recording, else its text. Raises SpeechError."""
        if section.recording is not None:
            return await self.recording(section.recording)
        return await self.script(section.text, language, tenant)

    async def recording(self, recording: Recording) -> Prompt:
        """Return a recording of a manager. Raises SpeechError if its file is missing."""
        if (recent := self._recent.get(recording.digest)) is not None:
            return recent
        path = self._recordings.path(recording.digest)
        wide = path.with_suffix(audio.WIDE_SUFFIX)
        found = await asyncio.to_thread(lambda: (path.is_file(), wide.is_file()))
        if not found[0]:
            raise SpeechError(
                f"the recording {path} is missing; upload it again, and let the workers on other"
                " hosts share prompts.folder"
            )
        # Recordings of earlier versions have only 8 kHz.
        prompt = self._at(path, recording.seconds, wide=found[1])
        self._recent.put(recording.digest, prompt)
        return prompt

    async def system(self, name: str, language: str) -> Prompt:
        """Return a prompt of this product: shipped in `language`, else spoken, else in English.

        It never takes long, because it may replace a text that does.
        """
        base = language.split("-")[0].lower()
        prompt = await self._shipped_prompt(name, base)
        if prompt is not None:
            return prompt
        text, spoken_in = i18n.spoken("prompts", name, language)
        if spoken_in == language:
            try:
                return await soon(self.script(text, language))
            except SpeechError as error:
                log.warning("%s is spoken in English: %s", name, error)
        prompt = await self._shipped_prompt(name, i18n.ENGLISH)
        if prompt is None:
            raise SpeechError(f"sounds/{i18n.ENGLISH}/{name}.wav is missing; reinstall")
        return prompt

    async def keep_ready(self, names: Iterable[str]) -> None:
        """Write these prompts of this product, in every language that has them as sounds.

        So they are there when the disk is full, for a callee who is told that.
        """
        for language in self._sounds.iterdir():
            if language.is_dir() and language.name.isalpha():
                for name in names:
                    await self._shipped_prompt(name, language.name)

    async def _shipped_prompt(self, name: str, language: str) -> Prompt | None:
        """Return a prompt of this product as shipped in exactly this language, or None.

        One call of a crowd looks whether its file is there; the others wait for that.
        """
        if (recent := self._recent_system(name, language)) is not None:
            return recent
        async with self._system_turn:
            recent = self._recent_system(name, language)
            return recent or await self._shipped_file(name, language)

    def _recent_system(self, name: str, language: str) -> Prompt | None:
        known = self._system.get((name, language))
        return None if known is None else self._recent.get(known.name)

    async def _shipped_file(self, name: str, language: str) -> Prompt | None:
        known = self._system.get((name, language))
        if known is not None:
            with suppress(OSError):
                await asyncio.to_thread(self._cache.use, known.name)
                self._recent.put(known.name, known)
                return known
        shipped = await asyncio.to_thread(self._shipped, name, language)
        if shipped is None:
            return None
        narrow, wide = shipped
        digest = self._name(wide + narrow)
        prompt = await asyncio.to_thread(
            self._keep, digest, wide, narrow, text=f"{language}/{name}"
        )
        self._system[name, language] = prompt
        return prompt

    async def _look(self, name: str) -> Prompt | None:
        """Return the prompt with this name if it is kept. A crowd's calls share one look."""
        task = self._looking.get(name)
        if task is None:
            task = asyncio.create_task(asyncio.to_thread(self._kept, name))
            self._looking[name] = task
            task.add_done_callback(lambda _: self._looking.pop(name, None))
        return await asyncio.shield(task)

    async def _render(self, key: tuple[str, int], text: str, language: str, turns: Turns) -> Prompt:
        name, tenant = key
        self._failed.pop(key, None)
        try:
            async with turns.turn(tenant):
                # Another manager's call may have had the same words rendered meanwhile.
                kept = await asyncio.to_thread(self._kept, name)
                if kept is not None:
                    return kept
                wav = await self._speech.render(text, language)
        except SpeechError as error:
            self._failed[key] = (monotonic() + AGAIN_SECONDS, str(error))
            if len(self._failed) > _MOST_FAILED:
                self._failed.popitem(last=False)
            raise
        return await asyncio.to_thread(self._keep, name, wav, text=text)

    def _name(self, content: str | bytes) -> str:
        return self._key.digest("names of prompts", content)[: audio.PROMPT_DIGITS]

    def _shipped(self, name: str, language: str) -> tuple[bytes, bytes] | None:
        """Return a shipped sound in 8 kHz and in 16 kHz, or None."""
        folder = self._sounds.joinpath(language)
        narrow, wide = (
            folder.joinpath(name + suffix) for suffix in (audio.SUFFIX, audio.WIDE_SUFFIX)
        )
        if not language.isalpha() or not narrow.is_file():
            return None
        return narrow.read_bytes(), (wide if wide.is_file() else narrow).read_bytes()

    def _kept(self, name: str) -> Prompt | None:
        try:
            wav = self._cache.find(name)
            return None if wav is None else self._prompt(name, wav)
        except (EOFError, wave.Error):
            return None  # incomplete after a crash: rendered again
        except OSError as error:
            path = self._cache.path(name)
            raise SpeechError(f"prompts.folder: {path} cannot be read: {error.strerror}") from None

    def _keep(self, name: str, wav: bytes, narrow: bytes | None = None, *, text: str) -> Prompt:
        try:
            self._cache.keep(name, wav, narrow, text=text)
        except OSError as error:
            raise SpeechError(
                f"prompts.folder: {self._cache.folder} cannot be written: {unwritable(error)}"
            ) from None
        return self._prompt(name, wav)

    def _prompt(self, name: str, wav: bytes) -> Prompt:
        return self._at(self._cache.path(name), audio.seconds(wav))

    def _at(self, path: Path, seconds: float, *, wide: bool = True) -> Prompt:
        return Prompt(
            name=path.stem,
            # A path has no extension: Asterisk chooses the file.
            media=(f"sound:{self._url}/prompts/{path.name}", f"sound:{path.with_suffix('')}"),
            seconds=seconds,
            wide=f"sound:{self._url}/prompts/{path.stem}{audio.WIDE_SUFFIX}" if wide else None,
        )
