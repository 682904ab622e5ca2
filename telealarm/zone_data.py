"""The tz database that all time zones are read from: the newest that this machine has.

zoneinfo takes the operating system's files and the package `tzdata` only for what is missing there.
The files of an operating system may be years old, and then zones are an hour off.
"""

import importlib
import os
import re
import zoneinfo
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

_PACKAGE = "the package tzdata"
# As in `2026b`; after `2026z` comes `2026za`.
_VERSION = re.compile(r"(\d{4})([a-z]*)")


@dataclass(frozen=True)
class ZoneData:
    """A tz database. `version` is empty if it does not say its own."""

    place: str
    version: str
    folder: str | None = None

    @property
    def age(self) -> tuple[int, int, str]:
        """The newer is greater. An unknown version is the oldest."""
        match = _VERSION.match(self.version)
        return (int(match[1]), len(match[2]), match[2]) if match else (0, 0, "")


def use_newest() -> None:
    """Let zoneinfo read the newest database first, here and in the programs that we start."""
    best, _ = in_use()
    if best.folder is None:
        return  # the machine has none, or it is the package, in an archive: zoneinfo finds it
    paths = [best.folder, *(path for path in zoneinfo.TZPATH if path != best.folder)]
    if paths != list(zoneinfo.TZPATH):
        zoneinfo.reset_tzpath(paths)
        zoneinfo.ZoneInfo.clear_cache()
        os.environ["PYTHONTZPATH"] = os.pathsep.join(paths)


@cache
def in_use() -> tuple[ZoneData, list[ZoneData]]:
    """Return the database in use, and the others on this machine. Of two equal ones, the system's
    is in use.
    """
    known = [*_of_system(), *_of_package()]
    if not known:
        return ZoneData("nowhere", ""), []
    best = max(known, key=lambda one: one.age)
    return best, [one for one in known if one is not best]


def description() -> str:
    """Return which database is in use, and which others there are."""
    best, others = in_use()
    if best.place == "nowhere":
        return "there is none; install the package tzdata"
    text = f"{_version(best)} of {best.place}"
    older = [f"{one.place} has {_version(one)}" for one in others]
    return f"{text}; {', '.join(older)}" if older else text


def _version(data: ZoneData) -> str:
    return data.version or "an unknown version"


def _of_system() -> list[ZoneData]:
    package = _package_folder()
    folders = [Path(path) for path in zoneinfo.TZPATH if path != package]
    return [
        ZoneData(str(path), _version_in(path), str(path))
        for path in folders
        if (path / "Europe").is_dir() or (path / "UTC").is_file()
    ]


def _version_in(folder: Path) -> str:
    """Return the version of the files in a folder: tzdata.zi begins with it; some systems have a
    file of its own.
    """
    for name in ("tzdata.zi", "+VERSION", "version"):
        try:
            with (folder / name).open(encoding="ascii", errors="replace") as file:
                line = file.readline(100)
        except OSError:
            continue
        found = _VERSION.search(line)
        if found:
            return found[0]
    return ""


def _of_package() -> list[ZoneData]:
    try:
        package = importlib.import_module("tzdata")
    except ImportError:
        return []
    return [ZoneData(_PACKAGE, str(package.IANA_VERSION), _package_folder())]


def _package_folder() -> str | None:
    try:
        folder = resources.files("tzdata") / "zoneinfo"
    except ModuleNotFoundError:
        return None
    return str(folder) if isinstance(folder, Path) else None
