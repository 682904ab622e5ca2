"""Asterisk's part of an installation: its files filled in, its folders, and TeleAlarm's sounds."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template

from telealarm.installing import recordings
from telealarm.installing.files import Files, Outcome, Owner
from telealarm.rules import audio

PROGRAM = "usr/sbin/asterisk"
# What each file must have, if it is not ours: else it is written beside the one that is there.
NEEDED = {
    "ari.conf": "[telealarm]",
    "manager.conf": "[telealarm]",
    "http.conf": "enabled = yes",
    "cdr.conf": "loguniqueid",
    "pjsip.conf": "type",
    "amd.conf": "[general]",
    "extensions.conf": '#include "telealarm.conf"',
}
DIALPLAN = "telealarm.conf"
# What the dialplan plays.
SOUNDS = ("please-hold", "apology")
# Passwords and addresses are in them.
PRIVATE = 0o640
_CONFFILE = re.compile(r"^ (/etc/asterisk/\S+) ([0-9a-f]{32})", re.MULTILINE)
# The sections of pjsip.conf that need an address of a provider.
_TRUNK = re.compile(r"^\[trunk\]\n(?:.+\n)*", re.MULTILINE)


@dataclass(frozen=True)
class AsteriskHome:
    """The Asterisk in a root folder: `/`, or a small Debian of its own."""

    root: Path

    @property
    def etc(self) -> Path:
        """The folder of its configuration."""
        return self.root / "etc/asterisk"

    @property
    def spool(self) -> Path:
        """Asterisk's astspooldir."""
        return self.root / "var/spool/asterisk"

    @property
    def call_records(self) -> Path:
        """The file of its call detail records."""
        return self.root / "var/log/asterisk/cdr-csv/Master.csv"

    @property
    def sounds(self) -> Path:
        """Its folder of sounds: Debian's, else the one of Asterisk's own build."""
        debian = self.root / "usr/share/asterisk"
        return (debian if debian.is_dir() else self.root / "var/lib/asterisk") / "sounds"

    def owner(self) -> Owner | None:
        """Return user and group of Asterisk, as its root folder knows them; None: it has none."""
        try:
            lines = (self.root / "etc/passwd").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return None
        for line in lines:
            name, _, user, group, *_ = line.split(":")
            if name == "asterisk":
                return int(user), int(group)
        return None

    def package_sums(self) -> dict[Path, str]:
        """Return the MD5 of each configuration file as Debian's package has it."""
        try:
            status = (self.root / "var/lib/dpkg/status").read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        return {self.root / path[1:]: md5 for path, md5 in _CONFFILE.findall(status)}


def write(files: Files, home: AsteriskHome, values: Mapping[str, str], *, trunk: bool) -> None:
    """Write Asterisk's files, folders and sounds. Without a `trunk`, its lines are comments."""
    owner = home.owner()
    templates = resources.files("telealarm.config_files")
    for name, needs in NEEDED.items():
        text = templates.joinpath("asterisk", name).read_text(encoding="utf-8")
        if name == "pjsip.conf":
            text = text if trunk else _TRUNK.sub(_commented, text)
            text += templates.joinpath("phone.conf").read_text(encoding="utf-8")
        files.write(home.etc / name, Template(text).substitute(values), PRIVATE, owner, needs)
    dialplan = resources.files("telealarm.dialplan_files").joinpath(DIALPLAN)
    files.write(home.etc / DIALPLAN, dialplan.read_text(encoding="utf-8"), PRIVATE, owner)
    if not home.spool.is_dir():
        files.folder(home.spool, 0o750, owner)
    recordings.make_folder(files, home.spool, owner)
    if home.root != Path("/"):
        files.folder(home.root / "run/asterisk", 0o755, owner)
    _write_sounds(files, home)


def _write_sounds(files: Files, home: AsteriskHome) -> None:
    """Copy the sounds of the dialplan. English is where Asterisk looks last."""
    for language in resources.files("telealarm.sounds").iterdir():
        if not language.is_dir() or not language.name.isalpha():
            continue
        folder = home.sounds / ("" if language.name == "en" else language.name) / "telealarm"
        for name in SOUNDS:
            for suffix in (audio.SUFFIX, audio.WIDE_SUFFIX):
                source = language.joinpath(name + suffix)
                target = folder / (name + suffix)
                if source.is_file() and not target.exists():
                    files.parents(target)
                    target.write_bytes(source.read_bytes())
                    target.chmod(0o644)


def _commented(section: re.Match[str]) -> str:
    lines = section[0].splitlines(keepends=True)
    return "".join(line if line.startswith(";") else f";{line}" for line in lines)


def must_merge(files: Files) -> list[Path]:
    """Return the files that the operator has to merge."""
    return [path for path, outcome in files.report if outcome is Outcome.MERGE]
