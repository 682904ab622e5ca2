"""A speech engine: a command line that turns a text into a wav file. Never run by a shell.

It may be anything that an operator names, also a client of a server far away. So it is given so
much time, what it writes is believed so far, and one that hangs is left alone for a while.
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

# Rendering is work for a processor; more at once would only delay the calls that are up.
_AT_ONCE = 2
# How often in a row it may take too long for a text of so many characters, and for how long it is
# not asked then: calls go out with a stock message, instead of queueing for an engine that hangs.
PATIENCE, SHORT, REST_SECONDS = 2, 500, 60.0
# Far more than the longest text takes.
_LARGEST_FILE = 200_000_000
_LONGEST_COMPLAINT = 300
# What was killed is gone in a moment, unless it waits for a disk that does not answer.
_KILLED_SECONDS = 5.0


class Engine:
    """`line` names {wav}, which is to be written. The text is in {text_file}, and can be read
    from standard input as well; {language} is put in too.

    `failing`: the last text was not spoken.
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
        """`text` as a wav file for the telephone. Raises SpeechError, which says what to change."""
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
                self._grow_impatient(text)
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
        """To its end. What it complains of goes into a file, which no child of it can hold up.

        Raises TimeoutError, SpeechError.
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
            # With whatever it has started itself: its session is its own.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            with suppress(TimeoutError):
                async with asyncio.timeout(_KILLED_SECONDS):
                    await process.wait()
        if status:
            said = await asyncio.to_thread(_head, complaint)
            raise SpeechError(f"{self.program} failed ({status}): {said}")

    def _grow_impatient(self, text: str) -> None:
        if len(text) <= SHORT:
            self._hung += 1
        if self._hung >= PATIENCE:
            self._rests_until = monotonic() + REST_SECONDS


def _no_room(error: OSError) -> SpeechError:
    return SpeechError(
        f"{tempfile.gettempdir()} cannot be written ({error.strerror}); make room there"
    )


def _sound(path: Path) -> bytes:
    """The wav file for the telephone. Raises OSError, ValueError."""
    with path.open("rb") as file:
        wav = file.read(_LARGEST_FILE + 1)
    if len(wav) > _LARGEST_FILE:
        raise ValueError(f"it has more than {_LARGEST_FILE // 1_000_000} MB")
    return audio.of_speech(wav)


def _head(path: Path) -> str:
    """The beginning of a file, in one line."""
    with path.open("rb") as file:
        return " ".join(file.read(_LONGEST_COMPLAINT).decode(errors="replace").split())
