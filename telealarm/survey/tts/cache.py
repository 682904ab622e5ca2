"""The folder of the rendered prompts, kept by their content, with a limit to its size.

What was used longest ago goes first. The time of use is the file's access time, set by ourselves:
it holds for all workers that share the folder, also where the disk does not keep such times.
"""

import logging
import os
import threading
import time
from pathlib import Path

from telealarm.store.survey import audio_files

log = logging.getLogger(__name__)

# Longer than a call can take, from the claim to its time limit: what a live or an upcoming call
# needs was used within it, and stays even if the folder is over its limit then.
NEEDED_SECONDS = 2 * 3600.0
# A sweep leaves some room, so that not every new prompt makes another.
SWEPT_TO = 0.9
# Not oftener than so, where nothing can go.
PAUSE_SECONDS = 60.0


class Cache:
    """Wav files by name, `max_bytes` of them. Its methods block: call them in a thread."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.folder = folder
        self._max_bytes = max_bytes
        self._sweeping = threading.Lock()
        # What the folder holds, by the last look and what was added since; None: not looked yet.
        self._bytes: int | None = None
        self._next_sweep = 0.0

    def path(self, name: str) -> Path:
        """Where the file of that name is, if it is."""
        return self.folder / f"{name}.wav"

    def find(self, name: str) -> bytes | None:
        """The file's content, or None. Counts as a use. Raises OSError."""
        try:
            wav = self.path(name).read_bytes()
            self.use(name)
        except FileNotFoundError:
            return None
        return wav

    def use(self, name: str) -> None:
        """The file is needed now. Raises FileNotFoundError where it is gone, OSError."""
        path = self.path(name)
        changed = path.stat().st_mtime_ns
        try:
            os.utime(path, ns=(time.time_ns(), changed))
        except PermissionError:
            log.debug("%s is another user's: its use cannot be noted", path)

    def keep(self, name: str, wav: bytes) -> None:
        """Write the file, and make room for it. Raises OSError."""
        audio_files.put(self.path(name), wav)
        with self._sweeping:
            if self._bytes is not None:
                self._bytes += len(wav)
            full = self._bytes is None or self._bytes > self._max_bytes
            if full and time.monotonic() >= self._next_sweep:
                self._sweep()

    def _sweep(self) -> None:
        """Look what is there, and delete what was used longest ago until the limit is kept."""
        now = time.time()
        found: list[tuple[float, int, Path]] = []
        for path in self.folder.iterdir():
            if path.suffix not in (".wav", ".part") or not path.is_file():
                continue
            seen = path.stat()
            found.append((seen.st_atime, seen.st_size, path))
        total = sum(size for _, size, _ in found)
        if total > self._max_bytes:
            goal = self._max_bytes * SWEPT_TO
            for used, size, path in sorted(found):
                if total <= goal or now - used < NEEDED_SECONDS:
                    break
                path.unlink(missing_ok=True)
                total -= size
        if total > self._max_bytes:
            self._next_sweep = time.monotonic() + PAUSE_SECONDS
            log.warning(
                "prompts.folder holds %d MB, all of it in use; prompts.max_megabytes is less",
                total // 1_000_000,
            )
        self._bytes = total
