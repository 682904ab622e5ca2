"""Time zones: the package's own data serve where the system has none."""

import os
import subprocess
import sys
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import pytest
import tzdata  # type: ignore[import-untyped]

import telealarm


def test_zones_are_known_without_any_of_the_system() -> None:
    program = (
        "from datetime import datetime; from zoneinfo import ZoneInfo;"
        "from telealarm.rules.dates import to_utc;"
        "print(to_utc(datetime(2027, 3, 28, 2, 30), ZoneInfo('Europe/Madrid')))"
    )
    environment = {**os.environ, "PYTHONTZPATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert (done.stdout, done.returncode) == ("2027-03-28 01:30:00+00:00\n", 0), done.stderr


def shown(folders: Sequence[Path | str], *keys: str) -> list[str]:
    """08:00 on 5 January 2027 in these zones, and what is said of the database in use."""
    program = (
        "import sys; from datetime import datetime; from zoneinfo import ZoneInfo\n"
        "from telealarm import config, zone_data\n"
        "for key in sys.argv[1:]:\n"
        "    print(datetime(2027, 1, 5, 8, tzinfo=ZoneInfo(key)).isoformat())\n"
        "print(zone_data.description())"
    )
    environment = {**os.environ, "PYTHONTZPATH": os.pathsep.join(map(str, folders))}
    done = subprocess.run(
        [sys.executable, "-c", program, *keys], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def database(folder: Path, version: str) -> Path:
    """A tz database with one zone of an old clock. It says its version in `tzdata.zi`."""
    source = resources.files("tzdata") / "zoneinfo"
    (folder / "Africa").mkdir(parents=True)
    (folder / "Europe").mkdir()
    lagos = (source / "Africa" / "Lagos").read_bytes()
    (folder / "Africa" / "Casablanca").write_bytes(lagos)
    if version:
        (folder / "tzdata.zi").write_text(f"# version {version}\n")
    return folder


NEW = "2027-01-05T08:00:00+00:00"
OLD = "2027-01-05T08:00:00+01:00"


@pytest.mark.parametrize("version", ["", "2025b", "2019c", "rubbish"])
def test_older_data_of_the_system_do_not_count(tmp_path: Path, version: str) -> None:
    folder = database(tmp_path / "zones", version)
    time, said = shown([folder], "Africa/Casablanca")
    assert time == NEW
    known = version if version.startswith("2") else "an unknown version"
    assert said == f"{tzdata.IANA_VERSION} of the package tzdata; {folder} has {known}"
    # A zone that the package does not have is still read there.
    (folder / "Custom").write_bytes((folder / "Africa" / "Casablanca").read_bytes())
    assert shown([folder], "Custom")[0] == OLD


@pytest.mark.parametrize("version", ["2999a", "2026za", "2998zz"])
def test_newer_data_of_the_system_count(tmp_path: Path, version: str) -> None:
    old, folder = database(tmp_path / "old", "2020a"), database(tmp_path / "zones", version)
    time, said = shown([old, folder], "Africa/Casablanca")
    assert (time, said.split(";")[0]) == (OLD, f"{version} of {folder}")


def test_without_any_data_of_the_system() -> None:
    time, said = shown([], "Africa/Casablanca")
    assert (time, said) == (NEW, f"{tzdata.IANA_VERSION} of the package tzdata")
    assert shown(["/nowhere"], "Europe/Madrid")[0] == OLD


def test_no_zone_is_of_dateutil() -> None:
    """dateutil has data of its own, which are older. Its reader of VTIMEZONEs has none."""
    package = Path(telealarm.__file__).parent
    texts = {path: path.read_text() for path in package.rglob("*.py")}
    own = ("dateutil.zoneinfo", "gettz", "tzlocal", "tzfile")
    assert [path for path, text in texts.items() if any(name in text for name in own)] == []
