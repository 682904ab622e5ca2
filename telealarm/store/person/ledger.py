"""The file `erasures`: who was erased, as keyed digests. It outlives the database.

A backup of the database knows nothing of later erasures. So the file lies beside the key, and what
it has more than a restored database is erased again.
"""

import fcntl
import json
import logging
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

log = logging.getLogger(__name__)

NAME = "erasures"


@dataclass(frozen=True)
class Entry:
    """An erasure: its name, the manager whose rows it was (None: all), the digests, and when.

    `person`: the id of the one person; None: everybody behind the number.
    """

    uid: str
    owner: int | None
    digests: tuple[str, ...]
    at: str
    person: int | None = None


class Ledger:
    """The file, a line for each erasure. Its methods block: call them in a thread."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, Entry]:
        """Return the erasures by their names. A line that cannot be read is told and left out."""
        try:
            lines = self._path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return {}
        entries = {}
        for number, line in enumerate(lines, 1):
            try:
                fields = json.loads(line)
                entry = Entry(**{**fields, "digests": tuple(fields["digests"])})
            except (ValueError, TypeError, KeyError):
                log.error("%s: line %d is no erasure; it is left out", self._path, number)
                continue
            entries[entry.uid] = entry
        return entries

    def add(self, entries: Iterable[Entry]) -> None:
        """Append the erasures that the file does not have, and wait until the disk has them.

        Raises OSError.
        """
        wanted = list(entries)
        known = self.read()
        if all(entry.uid in known for entry in wanted):
            return
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        with os.fdopen(os.open(self._path, flags, 0o600), "a", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            known = self.read()
            for entry in wanted:
                if entry.uid not in known:
                    file.write(json.dumps(asdict(entry)) + "\n")
            file.flush()
            os.fsync(file.fileno())
