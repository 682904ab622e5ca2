"""Writes files of an installation, and never over something that was edited."""

import hashlib
import json
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from telealarm.errors import ConfigError

Owner = tuple[int, int]
# What a file of a package is called after it was replaced.
SAVED = ".before-telealarm"
# Beside a file that was edited: what init would have written.
BESIDE = ".telealarm"


class Outcome(StrEnum):
    """What became of a file or a folder."""

    MADE = "made"
    RENEWED = "renewed"
    SAME = "as it was"
    KEPT = "kept: it was edited"
    MERGE = "not changed: merge its neighbour into it"


@dataclass
class Files:
    """Writes files and folders, and reports each. `record` remembers what was written.

    `owned`: owners are set; that needs root. A file that is still as init wrote it may be written
    again. One of a package that nobody has edited (its MD5 is in `package_sums`) is saved first.
    """

    record: Path
    owned: bool
    package_sums: dict[Path, str] = field(default_factory=dict)
    report: list[tuple[Path, Outcome]] = field(default_factory=list)

    def __post_init__(self) -> None:
        known: dict[str, dict[str, str]] = {}
        with suppress(FileNotFoundError):
            known = json.loads(self.record.read_text(encoding="utf-8"))
        # What was written, by its SHA-256; and what the operator chose.
        self._written = known.get("files", {})
        self.choices = known.get("choices", {})

    def folder(self, path: Path, mode: int, owner: Owner | None = None) -> None:
        """Make a folder. One that exists stays as it is."""
        if path.is_dir():
            self.report.append((path, Outcome.SAME))
            return
        self.parents(path)
        path.mkdir()
        path.chmod(mode)
        self._own(path, owner)
        self.report.append((path, Outcome.MADE))

    def parents(self, path: Path) -> None:
        """Make the folders above a path, for everybody to read."""
        for parent in reversed(path.parents):
            if not parent.exists():
                parent.mkdir()
                parent.chmod(0o755)

    def write(
        self, path: Path, text: str, mode: int = 0o644, owner: Owner | None = None, needs: str = ""
    ) -> Outcome:
        """Write a file, unless somebody has edited it. Return what became of it.

        `needs`: if an edited file lacks these words, what it needs is written beside it.
        """
        outcome = self._outcome(path, text, needs)
        if outcome is Outcome.MERGE:
            self._put(path.with_name(path.name + BESIDE), text, mode, owner)
        elif outcome in (Outcome.MADE, Outcome.RENEWED):
            if path.exists() and self._is_package(path):
                saved = path.with_name(path.name + SAVED)
                if not saved.exists():
                    path.rename(saved)
            self._put(path, text, mode, owner)
        if outcome is not Outcome.KEPT and outcome is not Outcome.MERGE:
            self._written[str(path)] = _sum(text.encode())
        self.report.append((path, outcome))
        return outcome

    def replace(self, path: Path, text: str, mode: int, owner: Owner | None = None) -> None:
        """Write a file, whatever was there; a new one if it was not there."""
        outcome = Outcome.RENEWED if path.exists() else Outcome.MADE
        self._put(path, text, mode, owner)
        self.report.append((path, outcome))

    def changed(self) -> list[Path]:
        """Return what was made or written anew."""
        changes = (Outcome.MADE, Outcome.RENEWED)
        return [path for path, outcome in self.report if outcome in changes]

    def save_record(self) -> None:
        """Remember what was written and chosen, for the next time."""
        known = {"files": self._written, "choices": self.choices}
        text = json.dumps(known, indent=1, sort_keys=True) + "\n"
        if not self.record.exists() or self.record.read_text(encoding="utf-8") != text:
            self._put(self.record, text, 0o644, None)

    def _outcome(self, path: Path, text: str, needs: str) -> Outcome:
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return Outcome.MADE
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
        if content == text.encode():
            return Outcome.SAME
        if self._written.get(str(path)) == _sum(content):
            return Outcome.RENEWED
        if self._is_package(path):
            return Outcome.MADE
        return Outcome.KEPT if needs.encode() in content else Outcome.MERGE

    def _is_package(self, path: Path) -> bool:
        known = self.package_sums.get(path)
        md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        return known is not None and md5 == known

    def _put(self, path: Path, text: str, mode: int, owner: Owner | None) -> None:
        """Write a file whole or not at all. A symbolic link at its place is not followed."""
        self.parents(path)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        try:
            with os.fdopen(
                os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w"
            ) as file:
                file.write(text)
            draft.chmod(mode)
            self._own(draft, owner)
            draft.rename(path)
        finally:
            draft.unlink(missing_ok=True)

    def _own(self, path: Path, owner: Owner | None) -> None:
        if self.owned and owner is not None:
            os.chown(path, *owner, follow_symlinks=False)


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
