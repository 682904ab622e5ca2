"""Recordings: the rows of uploaded sounds, and the folder of their files.

A file is written before its row. It is deleted with the last row that names it.
"""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from telealarm.errors import Conflict
from telealarm.installation_key import InstallationKey
from telealarm.models import AudioFile
from telealarm.rules import audio
from telealarm.store.access import limits
from telealarm.store.engine import crud

# A folder below that of the rendered prompts, whose names are independent of these.
FOLDER = "audio"


@dataclass(frozen=True)
class Recording:
    """A sound that can be played: the name of its file, and its length."""

    digest: str
    seconds: float


@dataclass(frozen=True)
class Sound(Recording):
    """A recording to be saved in the folder, in 8 kHz and in 16 kHz, 16 bit, mono."""

    wav: bytes
    wide: bytes

    @classmethod
    def of(cls, wav: bytes, key: InstallationKey, most_seconds: float | None = None) -> "Sound":
        """Return `wav`, an uploaded file, with its name and length.

        The name is a keyed digest: nobody can ask for a sound to learn whether it was uploaded.
        Raises ValueError as rules.audio does.
        """
        narrow = audio.for_telephone(wav, most_seconds)
        wide = audio.for_telephone(wav, most_seconds, audio.WIDE_RATE)
        name = key.digest("names of recordings", narrow)
        return cls(name, round(audio.seconds(narrow), 3), narrow, wide)


class AudioFolder:
    """The folder of the recordings; `prompts` is that of the rendered prompts."""

    def __init__(self, prompts: Path) -> None:
        self._folder = prompts / FOLDER

    def path(self, digest: str) -> Path:
        """Return the path of the file of 8 kHz. It may not exist."""
        return self._folder / f"{digest}{audio.SUFFIX}"

    def wide_path(self, digest: str) -> Path:
        """Return the path of the file of 16 kHz. It may not exist."""
        return self._folder / f"{digest}{audio.WIDE_SUFFIX}"

    def keep(self, sound: Sound) -> None:
        """Write the sound's files. Raises OSError."""
        put(self.wide_path(sound.digest), sound.wide)
        put(self.path(sound.digest), sound.wav)

    def create(self, owner_id: int, name: str, sound: Recording) -> AudioFile:
        """Write and return the row of a saved sound.

        Raises Conflict if its file was deleted meanwhile, and LimitReached at the end of the write.
        """
        self._check(sound)
        _count(owner_id, sound)
        values = {"name": name, "digest": sound.digest, "seconds": sound.seconds}
        return crud.insert(AudioFile, {**values, "owner": owner_id})

    def change(self, row: AudioFile, values: Mapping[str, Any], sound: Recording | None) -> None:
        """Rename the row, or give it another sound. Raises Conflict if the row is in use."""
        columns, old = dict(values), row.digest
        if sound is not None and sound.digest != old:
            crud.check_unused(row)
            self._check(sound)
            _count(row.owner_id, sound)
            columns.update(digest=sound.digest, seconds=sound.seconds)
        crud.change(row, columns)
        self.discard(old)

    def remove(self, row: AudioFile) -> None:
        """Delete the row, and the file with its last row. Raises Conflict if the row is in use."""
        crud.remove(row)
        self.discard(row.digest)
        limits.freed(row.owner_id, limits.AUDIO)

    def _check(self, sound: Recording) -> None:
        if not self.path(sound.digest).is_file():
            raise Conflict("The same recording was deleted just now; send it again.")

    def discard(self, digest: str) -> None:
        """Delete the file if no row names it any more."""
        if not AudioFile.select(AudioFile.id).where(AudioFile.digest == digest).exists():
            for path in (self.path(digest), self.wide_path(digest)):
                path.unlink(missing_ok=True)


def _count(owner_id: int, sound: Recording) -> None:
    """Count a recording to the store of its owner, who may have no room for it."""
    limits.add(limits.Use(owner_id, limits.AUDIO), limits.upload_bytes(sound.seconds))


def of(row: AudioFile | None) -> Recording | None:
    """Return the recording of a row."""
    return None if row is None else Recording(row.digest, row.seconds)


def put(path: Path, wav: bytes, *, mode: int = 0o644) -> None:
    """Write a sound file whole or not at all: Asterisk may be reading it. Raises OSError.

    `mode`: Asterisk runs as another user, so everybody may read the file by default.
    """
    if not path.parent.exists():
        # Asterisk can read a file by its name. Other users cannot list the folder.
        path.parent.mkdir(parents=True, exist_ok=True)
        path.parent.chmod(0o711)
    handle, partial = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(wav)
            file.flush()
            os.fsync(file.fileno())
        Path(partial).chmod(mode)
        Path(partial).rename(path)
    except OSError:
        Path(partial).unlink(missing_ok=True)
        raise
