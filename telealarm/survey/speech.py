"""Speech engines: command lines that turn a text file into a wav file. Never run by a shell."""

import asyncio
import os
import re
import shlex
import shutil
import signal
import tempfile
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from telealarm.errors import SpeechError
from telealarm.rules import audio

# Rendering is work for a processor; more at once would only delay the calls that are up.
_AT_ONCE = 2
_LONGEST_TEXT = 4000

# Square brackets and angle brackets are markup to some engines.
_MARKUP = re.compile(r"[\[\]<>{}|\\^~`]+")
# What cannot be said, by Unicode's categories: controls, halves of pairs, private and unassigned
# characters, separators of lines; and within words formats, but for the joiners of some scripts.
_APART = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}
_WITHIN = "Cf"
_JOINERS = "\u200c\u200d"


class Speech:
    """Renders texts by the engine of their language; `*` names the engine of all others."""

    def __init__(self, engines: Mapping[str, str], timeout_seconds: float) -> None:
        self._engines = dict(engines)
        self._timeout_seconds = timeout_seconds
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    def engine(self, language: str) -> str | None:
        """The command line for `language` (`en`, also for `en-GB`), or None."""
        base = language.split("-")[0].split("_")[0].lower()
        return self._engines.get(language) or self._engines.get(base) or self._engines.get("*")

    def missing(self) -> list[str]:
        """The programs that the command lines name and that are not installed."""
        programs = {shlex.split(line)[0] for line in self._engines.values()}
        return sorted(program for program in programs if shutil.which(program) is None)

    async def render(self, text: str, language: str) -> bytes:
        """`text` as a wav file for the telephone. Raises SpeechError, which says what to change."""
        line = self.engine(language)
        if line is None:
            raise SpeechError(f"no speech engine serves {language!r}; name one in speech.engines")
        async with self._at_once:
            folder = await asyncio.to_thread(tempfile.mkdtemp, prefix="telealarm-speech-")
            try:
                return await self._render(line, text, language, Path(folder))
            finally:
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _render(self, line: str, text: str, language: str, folder: Path) -> bytes:
        source, target = folder / "text.txt", folder / "speech.wav"
        await asyncio.to_thread(source.write_text, harmless(text) + "\n", encoding="utf-8")
        argv = [
            word.replace("{text_file}", str(source))
            .replace("{wav}", str(target))
            .replace("{language}", re.sub(r"[^A-Za-z0-9_-]", "", language))
            for word in shlex.split(line)
        ]
        await self._run(argv)
        try:
            wav = await asyncio.to_thread(target.read_bytes)
            return await asyncio.to_thread(audio.for_telephone, wav)
        except (OSError, ValueError) as error:
            raise SpeechError(f"{argv[0]} wrote no usable wav file: {error}") from error

    async def _run(self, argv: list[str]) -> None:
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise SpeechError(
                f"{argv[0]} cannot be run ({error.strerror}); install it, or name another"
                " in speech.engines"
            ) from error
        try:
            async with asyncio.timeout(self._timeout_seconds):
                _, said = await process.communicate()
        except TimeoutError:
            raise SpeechError(f"{argv[0]} took over {self._timeout_seconds:g} s") from None
        finally:
            if process.returncode is None:
                # With whatever it has started itself: its session is its own.
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if process.returncode:
            raise SpeechError(f"{argv[0]} failed: {said.decode(errors='replace').strip()[:300]}")


def harmless(text: str) -> str:
    """`text` as nothing but words and punctuation, of a length that can be listened to."""
    plain = _MARKUP.sub(" ", text[: 2 * _LONGEST_TEXT])
    return " ".join("".join(map(_sayable, plain)).split())[:_LONGEST_TEXT]


def _sayable(character: str) -> str:
    category = unicodedata.category(character)
    if category in _APART:
        return " "
    return "" if category == _WITHIN and character not in _JOINERS else character
