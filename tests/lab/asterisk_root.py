"""Where the lab's Asterisk lives: `/` where one is installed, else a root folder of its own.

Debian's stable releases have no asterisk, so the root folder is of the suite below.
"""

import re
import subprocess
from pathlib import Path

from tests.lab.root_folder import NoRootFolder, root_folder

SUITE = "forky"
OLDEST = 20
PACKAGES = ("asterisk", "ca-certificates")


class NoAsterisk(Exception):
    """There is no Asterisk and none could be made; the message says what to do."""


def asterisk_root() -> Path:
    """The root folder to run Asterisk in, made now if need be (about half a minute)."""
    if _version(Path("/")) >= OLDEST:
        return Path("/")
    try:
        root = root_folder(f"asterisk-{SUITE}", SUITE, PACKAGES)
    except NoRootFolder as problem:
        raise NoAsterisk(f"Asterisk {OLDEST} or later is not installed. {problem}") from None
    if _version(root) < OLDEST:
        raise NoAsterisk(f"{root} has no Asterisk {OLDEST} or later in it; remove that folder.")
    return root


def _version(root: Path) -> int:
    """The major version of the Asterisk in a root folder, 0 if there is none."""
    if not (root / "usr/sbin/asterisk").exists():
        return 0
    enter = [] if root == Path("/") else ["/usr/sbin/chroot", str(root)]
    command = [*enter, "/usr/sbin/asterisk", "-V"]
    said = subprocess.run(command, capture_output=True, text=True).stdout
    found = re.match(r"Asterisk (?:certified/)?(\d+)", said)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    try:
        asterisk_root()
    except NoAsterisk as problem:
        raise SystemExit(f"set-up: {problem}") from None
