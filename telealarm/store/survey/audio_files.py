"""Recordings: the rows of uploaded sounds, and the folder that their files are in.

The file is there before its row is written, and goes with the last row that names it.
"""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from telealarm.errors import Conflict
from telealarm.models import AudioFile
from telealarm.rules import audio
from telealarm.store.engine import crud

# Below the folder of the rendered prompts, whose names have nothing to do with these.
FOLDER = "audio"


@dataclass(frozen=True)
class Recording:
    """A sound that can be played: its file's name, and how long it plays."""

    digest: str
    seconds: float


@dataclass(frozen=True)
class Sound(Recording):
    """A recording on its way into the folder: 8 kHz, 16 bit mono."""

    wav: bytes

    @classmethod
    def of(cls, wav: bytes) -> "Sound":
        """`wav`, which rules.audio has made, with its name and length."""
        return cls(hashlib.sha256(wav).hexdigest(), round(audio.seconds(wav), 3), wav)


class AudioFolder:
    """The folder of the recordings; `prompts` is that of the rendered prompts."""

    def __init__(self, prompts: Path) -> None:
        self._folder = prompts / FOLDER

    def path(self, digest: str) -> Path:
        """Where the file is, if it is."""
        return self._folder / f"{digest}.wav"

    def keep(self, sound: Sound) -> None:
        """Put the sound's file there. Raises OSError."""
        put(self.path(sound.digest), sound.wav)

    def create(self, owner_id: int, name: str, sound: Recording) -> AudioFile:
        """The row of a sound that was kept. Raises Conflict where its file has just gone."""
        self._check(sound)
        values = {"name": name, "digest": sound.digest, "seconds": sound.seconds}
        return crud.insert(AudioFile, {**values, "owner": owner_id})

    def change(self, row: AudioFile, values: Mapping[str, Any], sound: Recording | None) -> None:
        """Rename the row, or put another sound into it. Raises Conflict where it is in use."""
        columns, old = dict(values), row.digest
        if sound is not None and sound.digest != old:
            crud.check_unused(row)
            self._check(sound)
            columns.update(digest=sound.digest, seconds=sound.seconds)
        crud.change(row, columns)
        self.discard(old)

    def remove(self, row: AudioFile) -> None:
        """Delete the row, and its file with the last row. Raises Conflict where it is in use."""
        crud.remove(row)
        self.discard(row.digest)

    def _check(self, sound: Recording) -> None:
        if not self.path(sound.digest).is_file():
            raise Conflict("The same recording was deleted just now; send it again.")

    def discard(self, digest: str) -> None:
        """Delete the file where no row names it any more."""
        if not AudioFile.select(AudioFile.id).where(AudioFile.digest == digest).exists():
            self.path(digest).unlink(missing_ok=True)


def of(row: AudioFile | None) -> Recording | None:
    """What a row's file plays."""
    return None if row is None else Recording(row.digest, row.seconds)


def put(path: Path, wav: bytes, *, mode: int = 0o644) -> None:
    """Write a sound file whole or not at all: Asterisk may be reading it. Raises OSError.

    `mode`: Asterisk is another user, so by default everybody may read it.
    """
    if not path.parent.exists():
        # Asterisk may read what it knows the name of; nobody else can list the folder.
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
