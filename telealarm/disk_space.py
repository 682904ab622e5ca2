"""The room on the disks of the service: for /readyz, `check-config`, the metrics and the log."""

import asyncio
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from telealarm import metrics
from telealarm.config.model import Config
from telealarm.log import Trouble
from telealarm.store.engine import dialect

log = logging.getLogger(__name__)

PAUSE_SECONDS = 15.0
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Disk:
    """A folder, or the nearest one above it that exists, and the bytes that this user may use."""

    folder: Path
    free: int


class DiskSpace:
    """Measures the room now and then. `remarks` has a sentence for each folder with too little."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._trouble = Trouble(log, "disk", logging.WARNING)
        self.remarks: list[str] = []

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            await self.step()
            await asyncio.sleep(PAUSE_SECONDS)

    async def step(self) -> None:
        """Measure once."""
        try:
            disks = await asyncio.to_thread(measure, self._config)
        except OSError as error:
            self._trouble.note(f"the room cannot be measured: {error}")
            return
        for name, disk in disks.items():
            metrics.DISK_FREE.labels(name).set(disk.free)
        self.remarks = low(disks, self._config.disk.warn_megabytes)
        # Without the numbers, which change each time.
        places = ", ".join(sorted(set(_low_folders(disks, self._config.disk.warn_megabytes))))
        limit = f"less than {self._config.disk.warn_megabytes} MB (disk.warn_megabytes) are free"
        self._trouble.note(f"{limit} in {places}" if places else None)


def measure(config: Config) -> dict[str, Disk]:
    """Return the disks by the name of their folder's key. Blocks for a moment."""
    folders = {
        "prompts": config.path(config.prompts.folder),
        "recordings": config.path(config.recordings.folder),
    }
    if (file := dialect.configured_file(config)) is not None:
        folders["database"] = file.parent
    return {name: _disk(folder) for name, folder in folders.items()}


def low(disks: Mapping[str, Disk], warn_megabytes: int) -> list[str]:
    """Return a sentence for each disk with less room than that."""
    return [
        f"{folder}: only {free // MEGABYTE} MB are free (disk.warn_megabytes: {warn_megabytes});"
        " free some room, or lower prompts.max_megabytes and recordings.keep_days"
        for folder, free in _low_folders(disks, warn_megabytes).items()
    ]


def _low_folders(disks: Mapping[str, Disk], warn_megabytes: int) -> dict[str, int]:
    return {
        str(disk.folder): disk.free
        for disk in disks.values()
        if disk.free < warn_megabytes * MEGABYTE
    }


def _disk(folder: Path) -> Disk:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    disk = os.statvfs(folder)
    return Disk(folder, disk.f_bavail * disk.f_frsize)
