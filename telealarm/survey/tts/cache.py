"""The folder of rendered prompts, named by the key and their content, with a size limit.

The prompts used longest ago are deleted first. The time of use is the file's access time, which
this module sets itself. So it is right for all workers that share the folder, even on a disk that
does not record access times.
"""

import logging
import os
import threading
import time
from collections import defaultdict
from pathlib import Path

from telealarm.rules import audio
from telealarm.store.survey import audio_files, spoken_texts

log = logging.getLogger(__name__)

# Longer than a call can take, from the claim to its time limit. Prompts of live and upcoming calls
# were used within this time. They stay, even if the folder is over its limit.
NEEDED_SECONDS = 2 * 3600.0
# The length of names up to version 0.2.0: SHA-256 without a key.
_GUESSABLE_DIGITS = 64
# A sweep leaves some room, so that not every new prompt causes another sweep.
SWEPT_TO = 0.9
# The pause after a sweep that could not free enough.
PAUSE_SECONDS = 60.0


class Cache:
    """Sounds by name, each as a file of 8 kHz and one of 16 kHz, up to `max_bytes`.

    Its methods block: call them in a thread.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.folder = folder
        self._max_bytes = max_bytes
        self._sweeping = threading.Lock()
        # The size of the folder's files at the last sweep, plus additions. None: no sweep yet.
        self._bytes: int | None = None
        self._next_sweep = 0.0

    def path(self, name: str) -> Path:
        """Return the path of the file of 8 kHz with that name, which may not exist."""
        return self.folder / f"{name}{audio.SUFFIX}"

    def find(self, name: str) -> bytes | None:
        """Return the sound of 8 kHz, or None if a file is missing. It counts as a use.

        Raises OSError.
        """
        try:
            wav = self.path(name).read_bytes()
            self.use(name)
        except FileNotFoundError:
            return None
        return wav

    def use(self, name: str) -> None:
        """Record a use of the files. Raises FileNotFoundError if one is gone, OSError."""
        narrow = self.path(name)
        for path in (narrow.with_suffix(audio.WIDE_SUFFIX), narrow):
            changed = path.stat().st_mtime_ns
            try:
                os.utime(path, ns=(time.time_ns(), changed))
            except PermissionError:
                log.debug("%s is another user's: its use cannot be noted", path)

    def keep(self, name: str, wav: bytes, narrow: bytes | None = None, *, text: str) -> None:
        """Write the sound in both rates, and free room for it. Raises OSError.

        `narrow`: a better sound of 8 kHz than what can be made of `wav`. `text`: what it says.
        """
        wide = audio.for_telephone(wav, rate=audio.WIDE_RATE)
        narrow = narrow or audio.for_telephone(wav)
        path = self.path(name)
        spoken_texts.keep(path, text)  # first: no sound is without its text
        audio_files.put(path.with_suffix(audio.WIDE_SUFFIX), wide)
        audio_files.put(path, narrow)
        with self._sweeping:
            if self._bytes is not None:
                self._bytes += len(wide) + len(narrow)
            full = self._bytes is None or self._bytes > self._max_bytes
            if full and time.monotonic() >= self._next_sweep:
                self._sweep()

    @staticmethod
    def _drop_guessable(sounds: dict[str, list[tuple[float, int, Path]]], now: float) -> None:
        """Delete the prompts of earlier versions: anybody who guessed a text knew its name.

        Calls that began before the change of version may still play them.
        """
        for name in [name for name in sounds if len(name) == _GUESSABLE_DIGITS]:
            if now - max(sounds[name])[0] >= NEEDED_SECONDS:
                files = sounds.pop(name)
                for _, _, path in files:
                    path.unlink(missing_ok=True)
                files[0][2].with_suffix(spoken_texts.SUFFIX).unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Measure the folder, and delete the files used longest ago until the limit is kept."""
        now = time.time()
        sounds: defaultdict[str, list[tuple[float, int, Path]]] = defaultdict(list)
        for path in self.folder.iterdir():
            if path.suffix not in (audio.SUFFIX, audio.WIDE_SUFFIX, ".part") or not path.is_file():
                continue
            status = path.stat()
            sounds[path.stem].append((status.st_atime, status.st_size, path))
        self._drop_guessable(sounds, now)
        total = sum(size for files in sounds.values() for _, size, _ in files)
        if total > self._max_bytes:
            goal = self._max_bytes * SWEPT_TO
            # Both rates of a sound go together.
            for files in sorted(sounds.values(), key=max):
                if total <= goal or now - max(files)[0] < NEEDED_SECONDS:
                    break
                for _, size, path in files:
                    path.unlink(missing_ok=True)
                    total -= size
                files[0][2].with_suffix(spoken_texts.SUFFIX).unlink(missing_ok=True)
        if total > self._max_bytes:
            self._next_sweep = time.monotonic() + PAUSE_SECONDS
            log.warning(
                "prompts.folder holds %d MB, all of it in use; prompts.max_megabytes is less",
                total // 1_000_000,
            )
        self._bytes = total
