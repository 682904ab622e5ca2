"""A speech engine: a command line that turns a text into a wav file. No shell runs it.

It may be any program that an operator names, even a client of a distant server. So its time is
limited, its output is checked, and an engine that hangs is not used for a while.
"""

import asyncio
import os
import re
import shlex
import shutil
import signal
import tempfile
from contextlib import suppress
from pathlib import Path

from telealarm.clock import monotonic
from telealarm.errors import SpeechError
from telealarm.rules import audio

# Rendering needs the processor. More at once would only delay calls that are up. Who is next is
# decided before: see turns.py.
_AT_ONCE = 3
# After so many timeouts in a row, for texts of at most so many characters, the engine rests for so
# many seconds. Calls use a stock message then, instead of waiting for an engine that hangs.
PATIENCE, SHORT, REST_SECONDS = 2, 500, 60.0
# Far more than the longest text needs.
_LARGEST_FILE = 200_000_000
_LONGEST_COMPLAINT = 300
# A killed process ends in a moment, unless it waits for a disk that does not answer.
_KILLED_SECONDS = 5.0


class Engine:
    """An engine. `line` names {wav}, the file to write.

    The text is in {text_file}, and on standard input too. {language} is replaced too. `failing`:
    the last text could not be spoken.
    """

    def __init__(self, line: str, timeout_seconds: float) -> None:
        self.line = line
        self.program = shlex.split(line)[0]
        self.failing = False
        self._timeout_seconds = timeout_seconds
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._hung = 0
        self._rests_until = 0.0

    async def speak(self, text: str, language: str) -> bytes:
        """Return `text` as a wav file of 16 kHz. Raises SpeechError with what to change."""
        async with self._at_once:
            if monotonic() < self._rests_until:
                raise SpeechError(
                    f"{self.program} took over {self._timeout_seconds:g} s again and again; it is"
                    " tried again within a minute"
                )
            try:
                wav = await self._speak(text, language)
            except SpeechError:
                self.failing = True
                raise
            self.failing, self._hung = False, 0
            return wav

    async def _speak(self, text: str, language: str) -> bytes:
        try:
            folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="telealarm-speech-"))
        except OSError as error:
            raise _no_room(error) from error
        try:
            source, target = folder / "text.txt", folder / "speech.wav"
            try:
                await asyncio.to_thread(source.write_text, text + "\n", encoding="utf-8")
            except OSError as error:
                raise _no_room(error) from error
            try:
                await self._run(self._argv(source, target, language), source)
            except TimeoutError:
                self._count_timeout(text)
                raise SpeechError(f"{self.program} took over {self._timeout_seconds:g} s") from None
            try:
                return await asyncio.to_thread(_sound, target)
            except (OSError, ValueError) as error:
                raise SpeechError(f"{self.program} wrote no usable wav file: {error}") from error
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def _argv(self, source: Path, target: Path, language: str) -> list[str]:
        return [
            word.replace("{text_file}", str(source))
            .replace("{wav}", str(target))
            .replace("{language}", re.sub(r"[^A-Za-z0-9_-]", "", language))
            for word in shlex.split(self.line)
        ]

    async def _run(self, argv: list[str], source: Path) -> None:
        """Run the command to its end. Raises TimeoutError, SpeechError.

        Its error output goes to a file: so a child of it that keeps running cannot block us.
        """
        complaint = source.with_suffix(".err")
        try:
            with source.open("rb") as text, complaint.open("wb") as complained:
                process = await asyncio.create_subprocess_exec(
                    *argv,
                    stdin=text,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=complained,
                    start_new_session=True,
                )
        except OSError as error:
            raise SpeechError(
                f"{self.program} cannot be run ({error.strerror}); install it, or name another"
                " in speech.engines"
            ) from error
        try:
            async with asyncio.timeout(self._timeout_seconds):
                status = await process.wait()
        finally:
            # Kill its children too: they are in its session.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            with suppress(TimeoutError):
                async with asyncio.timeout(_KILLED_SECONDS):
                    await process.wait()
        if status:
            output = await asyncio.to_thread(_head, complaint)
            raise SpeechError(f"{self.program} failed ({status}): {output}")

    def _count_timeout(self, text: str) -> None:
        if len(text) <= SHORT:
            self._hung += 1
        if self._hung >= PATIENCE:
            self._rests_until = monotonic() + REST_SECONDS


def _no_room(error: OSError) -> SpeechError:
    return SpeechError(
        f"{tempfile.gettempdir()} cannot be written ({error.strerror}); make room there"
    )


def _sound(path: Path) -> bytes:
    """Return the wav file for the telephone. Raises OSError, ValueError."""
    with path.open("rb") as file:
        wav = file.read(_LARGEST_FILE + 1)
    if len(wav) > _LARGEST_FILE:
        raise ValueError(f"it has more than {_LARGEST_FILE // 1_000_000} MB")
    return audio.of_speech(wav, audio.WIDE_RATE)


def _head(path: Path) -> str:
    """Return the beginning of a file, on one line."""
    with path.open("rb") as file:
        return " ".join(file.read(_LONGEST_COMPLAINT).decode(errors="replace").split())
