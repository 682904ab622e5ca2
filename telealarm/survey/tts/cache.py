"""The folder of rendered prompts, named by their content, with a size limit.

The prompts used longest ago are deleted first. The time of use is the file's access time, which
this module sets itself. So it is right for all workers that share the folder, even on a disk that
does not record access times.
"""

import logging
import os
import threading
import time
from pathlib import Path

from telealarm.store.survey import audio_files

log = logging.getLogger(__name__)

# Longer than a call can take, from the claim to its time limit. Prompts of live and upcoming calls
# were used within this time. They stay, even if the folder is over its limit.
NEEDED_SECONDS = 2 * 3600.0
# A sweep leaves some room, so that not every new prompt causes another sweep.
SWEPT_TO = 0.9
# The pause after a sweep that could not free enough.
PAUSE_SECONDS = 60.0


class Cache:
    """Wav files by name, up to `max_bytes`. Its methods block: call them in a thread."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.folder = folder
        self._max_bytes = max_bytes
        self._sweeping = threading.Lock()
        # The size of the folder's files at the last sweep, plus additions. None: no sweep yet.
        self._bytes: int | None = None
        self._next_sweep = 0.0

    def path(self, name: str) -> Path:
        """Return the path of the file with that name, which may not exist."""
        return self.folder / f"{name}.wav"

    def find(self, name: str) -> bytes | None:
        """Return the file's content, or None. It counts as a use. Raises OSError."""
        try:
            wav = self.path(name).read_bytes()
            self.use(name)
        except FileNotFoundError:
            return None
        return wav

    def use(self, name: str) -> None:
        """Record a use of the file. Raises FileNotFoundError if it is gone, OSError."""
        path = self.path(name)
        changed = path.stat().st_mtime_ns
        try:
            os.utime(path, ns=(time.time_ns(), changed))
        except PermissionError:
            log.debug("%s is another user's: its use cannot be noted", path)

    def keep(self, name: str, wav: bytes) -> None:
        """Write the file, and free room for it. Raises OSError."""
        audio_files.put(self.path(name), wav)
        with self._sweeping:
            if self._bytes is not None:
                self._bytes += len(wav)
            full = self._bytes is None or self._bytes > self._max_bytes
            if full and time.monotonic() >= self._next_sweep:
                self._sweep()

    def _sweep(self) -> None:
        """Measure the folder, and delete the files used longest ago until the limit is kept."""
        now = time.time()
        files: list[tuple[float, int, Path]] = []
        for path in self.folder.iterdir():
            if path.suffix not in (".wav", ".part") or not path.is_file():
                continue
            status = path.stat()
            files.append((status.st_atime, status.st_size, path))
        total = sum(size for _, size, _ in files)
        if total > self._max_bytes:
            goal = self._max_bytes * SWEPT_TO
            for used, size, path in sorted(files):
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
