"""A whole installation: `telealarm init`."""

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from zoneinfo import available_timezones

from telealarm import installation_key
from telealarm.errors import ConfigError
from telealarm.installing import asterisk_files, secrets_file, service_user
from telealarm.installing.asterisk_files import AsteriskHome
from telealarm.installing.files import Files, Outcome, Owner

# Where an Asterisk is looked for: the machine's own, else a root folder as the how-to makes it.
ASTERISK_ROOTS = ("", "srv/asterisk")
COMMAND = Path("/usr/local/bin/telealarm")
EXAMPLE_HOST = "sip.example.com"


@dataclass(frozen=True)
class Wishes:
    """What the operator has chosen. `root` is not `/` for a try-out."""

    root: Path
    asterisk: Path | None = None
    trunk: str | None = None
    timezone: str | None = None

    def check(self) -> None:
        """Raise ConfigError if a choice cannot be used."""
        _ = self.trunk_address
        if self.timezone is not None and self.timezone not in available_timezones():
            raise ConfigError(
                f"--timezone: {self.timezone!r} is no IANA time zone; one is Europe/Madrid"
            )

    @property
    def trunk_address(self) -> tuple[str, int]:
        """Host and port of the provider's SIP server; an example if there is none yet.

        Raises ConfigError.
        """
        match = re.fullmatch(r"([A-Za-z0-9.-]+)(?::(\d{1,5}))?", self.trunk or EXAMPLE_HOST)
        if match is None:
            raise ConfigError(f"--trunk: {self.trunk!r} is no HOST or HOST:PORT")
        return match[1], int(match[2] or 5060)

    @property
    def is_tried_out(self) -> bool:
        """Whether everything goes below a folder: no user is added, nothing is started."""
        return self.root != Path("/")


class Installer:
    """Makes an installation below `wishes.root`. What exists and was edited stays as it is."""

    def __init__(self, wishes: Wishes) -> None:
        self.etc = wishes.root / "etc/telealarm"
        self.config = self.etc / "telealarm.yml"
        self.secrets = self.etc / "secrets"
        self.state = wishes.root / "var/lib/telealarm"
        self.unit = wishes.root / "etc/systemd/system/telealarm.service"
        self.program = _program()
        self.files = Files(record=self.etc / "init.json", owned=os.geteuid() == 0)
        self.wishes = _with_earlier(wishes, self.files.choices)
        self.files.choices = _choices(self.wishes)
        self.asterisk = _asterisk(self.wishes)
        if self.asterisk is not None:
            self.files.package_sums = self.asterisk.package_sums()
        self.user_added = False
        # What could not be done, and what to do about it.
        self.remarks: list[str] = []

    def run(self) -> None:
        """Make what is missing. Raises ConfigError, OSError."""
        self.wishes.check()
        owner = self._owner()
        self._make_folders(owner)
        values, text = secrets_file.complete(self.secrets)
        if text is not None:
            # The service's group reads it, for the commands that its user runs.
            self.files.replace(self.secrets, text, 0o640, (0, owner[1]) if owner else None)
        self._write_configuration(owner)
        if self.asterisk is not None:
            self._write_asterisk(self.asterisk, values)
        self._write_units(owner)
        self.files.save_record()

    def _owner(self) -> Owner | None:
        if self.wishes.is_tried_out:
            return None
        if os.geteuid() != 0:
            raise ConfigError("init needs root; for a try-out in a folder use --root FOLDER")
        owner, self.user_added = service_user.find_or_add(self.state)
        return owner

    def _make_folders(self, owner: Owner | None) -> None:
        self.files.folder(self.etc, 0o755)
        # Asterisk reads prompts by their names, and lists no folder.
        self.files.folder(self.state, 0o711, owner)
        self.files.folder(self.state / "prompts", 0o711, owner)
        self.files.folder(self.state / "recordings", 0o700, owner)
        key = self.state / "telealarm.key"
        if key.exists():
            self.files.report.append((key, Outcome.SAME))
            return
        installation_key.create(key)
        if owner is not None:
            os.chown(key, *owner, follow_symlinks=False)
        self.files.report.append((key, Outcome.MADE))

    def _write_configuration(self, owner: Owner | None) -> None:
        text = _template("telealarm.yml")
        for was, now in self._changes().items():
            if text.count(was) != 1:
                raise ConfigError(f"config/telealarm.yml has {was!r} {text.count(was)} times")
            text = text.replace(was, now)
        group = (0, owner[1]) if owner else None
        self.files.write(self.config, text, 0o640, group)

    def _changes(self) -> dict[str, str]:
        """Return what is different from the shipped configuration."""
        records = self.asterisk.call_records if self.asterisk else None
        changes = {
            "../var/telealarm.db": f"{self.state}/telealarm.db",
            "\nkey_file: null": f"\nkey_file: {self.state}/telealarm.key",
            "folder: ../var/prompts": f"folder: {self.state}/prompts",
            "folder: ../var/recordings": f"folder: {self.state}/recordings",
            "\n  ami: null": "\n  ami: {host: 127.0.0.1, port: 5038, user: telealarm, password:"
            ' "${TELEALARM_AMI_PASSWORD:-}"}',
            "\ntimezone: UTC": f"\ntimezone: {self.wishes.timezone or _local_zone()}",
        }
        if records is not None:
            changes["cdr: /var/log/asterisk/cdr-csv/Master.csv"] = f"cdr: {records}"
        if self.wishes.trunk is None:
            changes["trunks: [trunk]"] = "trunks: []"
        return changes

    def _write_asterisk(self, home: AsteriskHome, secrets: dict[str, str]) -> None:
        host, port = self.wishes.trunk_address
        values = {
            **secrets,
            "TELEALARM_HTTP_ADDRESS": "127.0.0.1",
            "TELEALARM_HTTP_PORT": "8088",
            "TELEALARM_AMI_ADDRESS": "127.0.0.1",
            "TELEALARM_AMI_PORT": "5038",
            "TELEALARM_SIP_ADDRESS": "0.0.0.0",
            "TELEALARM_SIP_PORT": "5060",
            "TELEALARM_TRUNK_HOST": host,
            "TELEALARM_TRUNK_PORT": str(port),
        }
        trunk = self.wishes.trunk is not None
        asterisk_files.write(self.files, home, values, trunk=trunk)

    def _write_units(self, owner: Owner | None) -> None:
        unit = _template("telealarm.service")
        unit = unit.replace("/opt/telealarm/.venv/bin/telealarm", str(self.program))
        unit = unit.replace("/etc/telealarm", str(self.etc))
        unit = unit.replace("/var/lib/telealarm", str(self.state))
        self.files.write(self.unit, unit)
        home = self.asterisk
        if home is not None and home.root not in (Path("/"), self.wishes.root):
            text = _template("asterisk.service").replace("/srv/asterisk", str(home.root))
            self.files.write(self.unit.with_name("asterisk.service"), text)
        if owner is None:
            return
        if not COMMAND.exists() and self.program != COMMAND:
            self.files.parents(COMMAND)
            COMMAND.symlink_to(self.program)
            self.files.report.append((COMMAND, Outcome.MADE))
        if not service_user.may_run(self.program, owner):
            self.remarks.append(
                f"the user {service_user.NAME} cannot run {self.program}: put the program where"
                " every user may read it, such as /opt/telealarm, and repeat init there"
            )


def _with_earlier(wishes: Wishes, choices: Mapping[str, str]) -> Wishes:
    """Return the wishes, where they are silent with what was chosen the last time."""
    earlier = choices.get("asterisk")
    return replace(
        wishes,
        asterisk=wishes.asterisk or (Path(earlier) if earlier else None),
        timezone=wishes.timezone or choices.get("timezone"),
        trunk=wishes.trunk or choices.get("trunk"),
    )


def _choices(wishes: Wishes) -> dict[str, str]:
    chosen = {"asterisk": wishes.asterisk, "timezone": wishes.timezone, "trunk": wishes.trunk}
    return {name: str(value) for name, value in chosen.items() if value is not None}


def _program() -> Path:
    """Return the command of this installation, which the unit starts."""
    own = Path(sys.prefix) / "bin/telealarm"
    return own if own.exists() else Path(sys.argv[0]).absolute()


def _asterisk(wishes: Wishes) -> AsteriskHome | None:
    """Return the Asterisk of the installation; a try-out without one gets its files too."""
    if wishes.asterisk is not None:
        if not (wishes.asterisk / asterisk_files.PROGRAM).exists():
            raise ConfigError(
                f"--asterisk: {wishes.asterisk} has no {asterisk_files.PROGRAM}; name the root"
                " folder of an Asterisk"
            )
        return AsteriskHome(wishes.asterisk)
    for name in ASTERISK_ROOTS:
        if (wishes.root / name / asterisk_files.PROGRAM).exists():
            return AsteriskHome(wishes.root / name)
    return AsteriskHome(wishes.root) if wishes.is_tried_out else None


def _template(name: str) -> str:
    return resources.files("telealarm.config_files").joinpath(name).read_text(encoding="utf-8")


def _local_zone() -> str:
    """Return the time zone of this machine, UTC if it does not say one."""
    link = Path("/etc/localtime")
    if link.is_symlink() and "zoneinfo/" in (target := str(link.readlink())):
        return target.partition("zoneinfo/")[2]
    return "UTC"
