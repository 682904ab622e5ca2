"""`telealarm init`: an installation that works as it is, and stays as it is when it is repeated."""

import hashlib
import re
import stat
import subprocess
from pathlib import Path

import pytest

from telealarm.config.file import load
from telealarm.installing.asterisk_files import NEEDED
from tests.lab import command
from tests.lab.speed import limit


def init(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return command.run("init", "--root", root, *words)


def snapshot(root: Path) -> dict[str, bytes]:
    """Every file by its path."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder for a try-out, with the configuration of a package of Asterisk in it."""
    etc = tmp_path / "etc/asterisk"
    etc.mkdir(parents=True)
    (etc / "ari.conf").write_text("; the package's\n")
    (etc / "http.conf").write_text("[general]\nbindport = 1234\n")
    md5 = hashlib.md5((etc / "ari.conf").read_bytes(), usedforsecurity=False).hexdigest()
    status = tmp_path / "var/lib/dpkg/status"
    status.parent.mkdir(parents=True)
    edited = "0" * 32
    status.write_text(
        "Package: asterisk-config\nConffiles:\n"
        f" /etc/asterisk/ari.conf {md5}\n /etc/asterisk/http.conf {edited}\n"
    )
    return tmp_path


def test_everything_fits_together(root: Path) -> None:
    done = init(root, "--trunk", "sip.provider.example:5070", "--timezone", "Europe/Madrid")
    assert done.returncode == 0, done.stderr
    config = load(root / "etc/telealarm/telealarm.yml")
    state = root / "var/lib/telealarm"
    assert config.sqlite_path == state / "telealarm.db"
    assert config.key_path == state / "telealarm.key"
    assert config.path(config.prompts.folder) == state / "prompts"
    assert config.path(config.recordings.folder) == state / "recordings"
    assert (config.timezone, config.asterisk.trunks) == ("Europe/Madrid", ["trunk"])
    assert config.asterisk.cdr == str(root / "var/log/asterisk/cdr-csv/Master.csv")
    # One password on both sides, and none that is easy.
    etc = root / "etc/asterisk"
    assert config.asterisk.ami is not None
    ari, ami = config.asterisk.ari.password, config.asterisk.ami.password
    assert len({ari, ami}) == 2
    assert f"password = {ari}\n" in (etc / "ari.conf").read_text()
    assert f"secret = {ami}\n" in (etc / "manager.conf").read_text()
    phone = re.search(r"username = 101\npassword = (\w{40,})\n", (etc / "pjsip.conf").read_text())
    assert phone and phone[1] not in (ari, ami)
    assert "contact = sip:sip.provider.example:5070\n" in (etc / "pjsip.conf").read_text()
    for path in etc.iterdir():
        assert "${TELEALARM_" not in path.read_text() or path.name == "telealarm.conf", path
    assert mode(etc / "ari.conf") == mode(root / "etc/telealarm/secrets") == 0o640
    assert (mode(state / "telealarm.key"), mode(state / "recordings")) == (0o600, 0o700)
    assert mode(state) == mode(state / "prompts") == 0o711
    assert (root / "var/spool/asterisk/recording").is_dir()
    assert (root / "var/lib/asterisk/sounds/telealarm/please-hold.wav").exists()
    # The commands that follow work on it.
    added = command.run(
        "user", "add", "ann", "--password-stdin",
        "--config", root / "etc/telealarm/telealarm.yml", stdin="a long secret",
    )  # fmt: skip
    assert added.returncode == 0, added.stderr


def test_a_second_time_changes_nothing(root: Path) -> None:
    assert init(root, "--trunk", "sip.example.org").returncode == 0
    before = snapshot(root)
    done = init(root)
    assert (done.returncode, done.stderr) == (0, "")
    assert ": made" not in done.stdout
    assert snapshot(root) == before


def test_what_was_edited_stays_and_what_it_lacks_is_laid_beside_it(root: Path) -> None:
    etc = root / "etc/asterisk"
    assert init(root).returncode == 0
    # The package's own file was replaced and saved; the one that was edited was not.
    assert (etc / "ari.conf.before-telealarm").read_text() == "; the package's\n"
    assert "[telealarm]" in (etc / "ari.conf").read_text()
    assert (etc / "http.conf").read_text() == "[general]\nbindport = 1234\n"
    assert "bindport = 8088" in (etc / "http.conf.telealarm").read_text()
    edited = {
        etc / "pjsip.conf": "[mine]\ntype = endpoint\n",
        root / "etc/telealarm/telealarm.yml": "timezone: Europe/Paris\n",
        root / "etc/systemd/system/telealarm.service": "[Service]\n",
    }
    for path, text in edited.items():
        path.write_text(text)
    done = init(root, "--trunk", "sip.example.org")
    assert done.returncode == 0, done.stderr
    for path, text in edited.items():
        assert path.read_text() == text
        assert f"{path}: kept: it was edited" in done.stdout
    assert f"merge {etc}/http.conf.telealarm into {etc}/http.conf" in done.stdout


def test_a_file_that_nobody_edited_follows_a_new_version_or_choice(root: Path) -> None:
    assert init(root).returncode == 0
    pjsip = root / "etc/asterisk/pjsip.conf"
    assert ";contact = sip:" in pjsip.read_text()
    assert load(root / "etc/telealarm/telealarm.yml").asterisk.trunks == []
    secrets = (root / "etc/telealarm/secrets").read_text()
    done = init(root, "--trunk", "sip.example.org")
    assert f"{pjsip}: renewed" in done.stdout
    assert "\ncontact = sip:sip.example.org:5060\n" in pjsip.read_text()
    assert load(root / "etc/telealarm/telealarm.yml").asterisk.trunks == ["trunk"]
    # The choice is remembered, and no password changes.
    init(root)
    assert "\ncontact = sip:sip.example.org:5060\n" in pjsip.read_text()
    assert (root / "etc/telealarm/secrets").read_text() == secrets


def test_secrets_of_the_operator_stay(root: Path) -> None:
    path = root / "etc/telealarm/secrets"
    path.parent.mkdir(parents=True)
    path.write_text("# mine\nTELEALARM_ARI_PASSWORD='my own'\nTELEALARM_SMTP_PASSWORD=mail")
    assert init(root).returncode == 0
    text = path.read_text()
    assert text.startswith(
        "# mine\nTELEALARM_ARI_PASSWORD='my own'\nTELEALARM_SMTP_PASSWORD=mail\n"
    )
    config = load(root / "etc/telealarm/telealarm.yml")
    assert (config.asterisk.ari.password, config.smtp.password) == ("my own", "mail")
    assert "password = my own\n" in (root / "etc/asterisk/ari.conf").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--trunk", "sip:me@provider"), "--trunk: 'sip:me@provider' is no HOST or HOST:PORT"),
        (("--asterisk", "/nowhere"), "--asterisk: /nowhere has no usr/sbin/asterisk"),
        (("--timezone", "Mars/Olympus"), "--timezone: 'Mars/Olympus' is no IANA time zone"),
    ],
)
def test_a_wrong_choice_changes_nothing(root: Path, words: tuple[str, ...], said: str) -> None:
    before = snapshot(root)
    done = init(root, *words)
    assert done.returncode == 1
    assert said in done.stderr
    assert snapshot(root) == before


def test_each_file_of_asterisk_is_filled_in() -> None:
    shipped = {path.name for path in Path("config/asterisk").glob("*.conf")}
    # Each Asterisk has a modules.conf.
    assert shipped == {*NEEDED, "modules.conf"}


def test_the_unit_is_one_for_systemd(root: Path) -> None:
    assert init(root).returncode == 0
    unit = root / "etc/systemd/system/telealarm.service"
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit],
        capture_output=True,
        text=True,
        timeout=limit(60),
    )
    # The one remark: there is no such user on this machine.
    said = [line for line in done.stderr.splitlines() if "telealarm" in line]
    assert said == [], done.stderr
