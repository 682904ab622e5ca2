"""Prompts: texts as sound files, rendered before the call is placed and kept by their content.

A prompt's name is a hash, so the same words are rendered once, and nobody guesses the address of
another's. Asterisk fetches a prompt over HTTP, which serves every set-up (another host, a chroot,
a container); where that fails it is played from the folder, which serves an Asterisk on this host.
"""

import asyncio
import hashlib
import logging
import wave
from collections import OrderedDict
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from telealarm import i18n
from telealarm.clock import monotonic
from telealarm.errors import SpeechError
from telealarm.rules import audio
from telealarm.store.survey.audio_files import AudioFolder, Recording
from telealarm.store.survey.session_state import ScriptSection
from telealarm.survey.tts.cache import Cache
from telealarm.survey.tts.speech import Speech

log = logging.getLogger(__name__)

NO_SPEECH = "no-speech"
_MAX_BYTES = 500_000_000
# Nobody who is on the line waits longer in silence for a text that is not rendered yet.
SOON_SECONDS = 3.0
# A text that could not be spoken is not tried again before this; so many are remembered.
AGAIN_SECONDS = 30.0
_MOST_FAILED = 1000


async def soon(prompt: Awaitable["Prompt"]) -> "Prompt":
    """`prompt`, for somebody who waits for it on the line.

    Raises SpeechError also where it takes too long; it is rendered for the next time all the same.
    """
    try:
        async with asyncio.timeout(SOON_SECONDS):
            return await prompt
    except TimeoutError:
        raise SpeechError(f"a text was not rendered within {SOON_SECONDS:g} s") from None


@dataclass(frozen=True)
class Prompt:
    """A sound, the addresses at which Asterisk may find it (best first), and how long it plays."""

    name: str
    media: tuple[str, ...]
    seconds: float


class Prompts:
    """`folder` is where prompts are kept, `max_bytes` of rendered ones; `url` is the address that
    Asterisk fetches them from.
    """

    def __init__(
        self, folder: Path, url: str, speech: Speech, *, max_bytes: int = _MAX_BYTES
    ) -> None:
        self._cache = Cache(folder, max_bytes)
        self._url = url
        self._speech = speech
        self._system: dict[tuple[str, str], Prompt] = {}
        self._recordings = AudioFolder(folder)
        self._rendering: dict[str, asyncio.Task[Prompt]] = {}
        # What could not be spoken, by name: until when, and why.
        self._failed: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._sounds = resources.files("telealarm.sounds")

    async def script(self, text: str, language: str) -> Prompt:
        """`text` in `language`. Raises SpeechError where no engine can speak it."""
        engine = self._speech.engine(language)
        spoken = "\0".join((engine.line if engine else "", language, text))
        name = hashlib.sha256(spoken.encode(errors="surrogatepass")).hexdigest()
        kept = await asyncio.to_thread(self._kept, name)
        if kept is not None:
            return kept
        until, why = self._failed.get(name, (0.0, ""))
        if monotonic() < until:
            raise SpeechError(why)
        # Two calls with the same words share one rendering, which neither's end takes away.
        task = self._rendering.get(name)
        if task is None:
            task = asyncio.create_task(self._render(name, text, language))
            self._rendering[name] = task
            task.add_done_callback(lambda _: self._rendering.pop(name, None))
        return await asyncio.shield(task)

    async def section(self, section: ScriptSection, language: str) -> Prompt:
        """What a section plays: its recording, else its text. Raises SpeechError."""
        if section.recording is not None:
            return await self.recording(section.recording)
        return await self.script(section.text, language)

    async def recording(self, recording: Recording) -> Prompt:
        """What a manager has uploaded. Raises SpeechError where its file is gone."""
        path = self._recordings.path(recording.digest)
        if not await asyncio.to_thread(path.is_file):
            raise SpeechError(
                f"the recording {path} is missing; upload it again, and let the workers on other"
                " hosts share prompts.folder"
            )
        return self._at(path, recording.seconds)

    async def system(self, name: str, language: str) -> Prompt:
        """One of our own texts: shipped in `language`, else spoken, else shipped in English.

        It never takes long, as it may stand in for a text that does.
        """
        base = language.split("-")[0].lower()
        found = await self._ours(name, base)
        text, spoken_in = i18n.spoken("prompts", name, language)
        if found is None and spoken_in == language:
            try:
                return await soon(self.script(text, language))
            except SpeechError as error:
                log.warning("%s is said in English: %s", name, error)
        if found is None:
            found = await self._ours(name, i18n.ENGLISH)
        if found is None:
            raise SpeechError(f"sounds/{i18n.ENGLISH}/{name}.wav is missing; reinstall")
        return found

    async def _ours(self, name: str, language: str) -> Prompt | None:
        """One of our own texts as it is shipped in this very language, if it is."""
        known = self._system.get((name, language))
        if known is not None:
            with suppress(OSError):
                await asyncio.to_thread(self._cache.use, known.name)
                return known
        shipped = await asyncio.to_thread(self._shipped, name, language)
        if shipped is None:
            return None
        digest = hashlib.sha256(shipped).hexdigest()
        made = self._system[name, language] = await asyncio.to_thread(self._keep, digest, shipped)
        return made

    async def _render(self, name: str, text: str, language: str) -> Prompt:
        self._failed.pop(name, None)
        try:
            wav = await self._speech.render(text, language)
        except SpeechError as error:
            self._failed[name] = (monotonic() + AGAIN_SECONDS, str(error))
            if len(self._failed) > _MOST_FAILED:
                self._failed.popitem(last=False)
            raise
        return await asyncio.to_thread(self._keep, name, wav)

    def _shipped(self, name: str, language: str) -> bytes | None:
        file = self._sounds.joinpath(language, f"{name}.wav")
        return file.read_bytes() if language.isalpha() and file.is_file() else None

    def _kept(self, name: str) -> Prompt | None:
        try:
            wav = self._cache.find(name)
            return None if wav is None else self._prompt(name, wav)
        except (EOFError, wave.Error):
            return None  # not whole after a crash: rendered anew
        except OSError as error:
            path = self._cache.path(name)
            raise SpeechError(f"prompts.folder: {path} cannot be read: {error.strerror}") from None

    def _keep(self, name: str, wav: bytes) -> Prompt:
        try:
            self._cache.keep(name, wav)
        except OSError as error:
            raise SpeechError(
                f"prompts.folder: {self._cache.folder} cannot be written ({error.strerror});"
                " let this user write it, or name another"
            ) from None
        return self._prompt(name, wav)

    def _prompt(self, name: str, wav: bytes) -> Prompt:
        return self._at(self._cache.path(name), audio.seconds(wav))

    def _at(self, path: Path, seconds: float) -> Prompt:
        return Prompt(
            name=path.stem,
            # A path has no extension: Asterisk chooses the file.
            media=(f"sound:{self._url}/prompts/{path.name}", f"sound:{path.with_suffix('')}"),
            seconds=seconds,
        )
