"""The how-to "Install with an Asterisk", line by line, on a Debian of its own.

Asterisk is Debian's package in the root folder that the how-to makes. The only stand-in is systemd:
`systemctl` starts what the units say, and `systemd-analyze verify` reads them.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from docs._generate.blocks import blocks
from tests.lab.installed import InstalledDebian, installed_debian
from tests.lab.waiting import until

pytestmark = pytest.mark.long

PAGE = Path(__file__).parents[2] / "docs/how-to/install.md"
READYZ = """
cat > /tmp/readyz.py <<'PYTHON'
import base64, json, urllib.error, urllib.request
login = base64.b64encode(b"admin:a long password").decode()
address = "http://127.0.0.1:8000/readyz"
request = urllib.request.Request(address, headers={"Authorization": f"Basic {login}"})
try:
    print(urllib.request.urlopen(request, timeout=20).read().decode())
except urllib.error.HTTPError as error:
    print(error.read().decode())
except OSError as error:
    print("{}")
PYTHON
python3 /tmp/readyz.py
"""


def lines(word: str) -> str:
    """The block of the page that has this word."""
    found = [block.text for block in blocks(PAGE) if block.words[:2] == "sh" and word in block.text]
    assert len(found) == 1, word
    return found[0]


@pytest.fixture(scope="module")
def debian() -> Iterator[InstalledDebian]:
    """With everything done that the page says."""
    with installed_debian() as machine:
        # The first block makes the root folder of Asterisk; the lab has made it by the same line.
        assert "forky /srv/asterisk" in lines("mmdebstrap")
        machine.online(lines("make install"))
        done = machine.run("cd /opt/telealarm\n" + lines("telealarm init"))
        assert "systemctl enable --now telealarm" in done.stdout
        machine.run("cd /root\n" + lines("systemctl enable --now telealarm"))
        yield machine


def readyz(machine: InstalledDebian) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(machine.run(READYZ).stdout)
    return body


async def test_the_service_is_ready_and_asterisk_records(debian: InstalledDebian) -> None:
    await until(
        lambda: readyz(debian).get("checks", {}).get("recordings") == "ok",
        60,
        lambda: f"{readyz(debian)}\n{(debian.root / 'run/units/telealarm.log').read_text()}",
    )
    body = readyz(debian)
    assert body["ready"] is True, body
    assert {body["remarks"][name] for name in ("sounds", "speech", "disk")} == {"ok"}, body


def test_the_page_goes_on_with_logins(debian: InstalledDebian) -> None:
    assert "ann has a new password" in debian.run(lines("telealarm user list")).stdout


def test_the_service_and_the_commands_of_root_are_one_user(debian: InstalledDebian) -> None:
    done = debian.run(
        """
        find /var/lib/telealarm ! -user telealarm
        stat -c '%U %a %n' /var/lib/telealarm/telealarm.key /etc/telealarm/secrets
        pid=$(cat /run/units/telealarm.pid)
        """
    )
    assert done.stdout.splitlines() == [
        "telealarm 600 /var/lib/telealarm/telealarm.key",
        "root 640 /etc/telealarm/secrets",
    ]
    done = debian.run(
        "setpriv --reuid telealarm --regid telealarm --clear-groups"
        " sh -c 'cat /etc/telealarm/telealarm.yml /etc/telealarm/secrets >/dev/null'"
    )
    assert done.stderr == ""


def test_the_units_are_right(debian: InstalledDebian) -> None:
    units = "/etc/systemd/system/telealarm.service /etc/systemd/system/asterisk.service"
    done = debian.run(f"systemd-analyze verify --man=no {units} 2>&1 || true")
    told = [line for line in done.stdout.splitlines() if "telealarm" in line or "asterisk" in line]
    assert told == []
    unit = (debian.root / "etc/systemd/system/telealarm.service").read_text()
    assert "LimitNOFILE=65536" in unit


def test_a_second_init_changes_nothing_and_a_trunk_is_added_by_a_third(
    debian: InstalledDebian,
) -> None:
    sums = "find /etc/telealarm /srv/asterisk/etc/asterisk -type f -exec md5sum {} + | sort"
    before = debian.run(sums).stdout
    assert "nothing has changed" in debian.run("telealarm init").stdout
    assert debian.run(sums).stdout == before
    debian.run("telealarm init --trunk 127.0.0.1:5090")
    pjsip = debian.root / "srv/asterisk/etc/asterisk/pjsip.conf"
    assert "\ncontact = sip:127.0.0.1:5090\n" in pjsip.read_text()
    done = debian.run("systemctl restart asterisk; telealarm check-config 2>&1 || true")
    assert "wrong: asterisk.trunks: Asterisk finds 'trunk' offline" in done.stdout
