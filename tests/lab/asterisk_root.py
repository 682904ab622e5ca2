"""Where the lab's Asterisk lives: `/` where one is installed, else a root folder of its own.

Debian's stable releases have no asterisk. The root folder is made once, from the suite below and
the mirror that this machine already uses, and is kept in the user's cache.
"""

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.apt_sources import debian_mirrors

SUITE = "forky"
OLDEST = 20
APT_OPTIONS = (
    'APT::Install-Recommends "false"',
    'Acquire::Check-Valid-Until "false"',
    'Acquire::Check-Date "false"',
)


class NoAsterisk(Exception):
    """There is no Asterisk and none could be made; the message says what to do."""


def asterisk_root() -> Path:
    """The root folder to run Asterisk in, made now if need be (about half a minute)."""
    if _version(Path("/")) >= OLDEST:
        return Path("/")
    root = cache() / f"asterisk-{SUITE}"
    with _only_one(cache() / f"asterisk-{SUITE}.lock"):
        if not root.is_dir():
            _make(root)
    return root


def cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "telealarm"


def _make(root: Path) -> None:
    """Build beside `root` and rename, so that a half-made folder never has its name."""
    if os.geteuid() != 0:
        raise NoAsterisk(
            f"Asterisk {OLDEST} or later is not installed; making a root folder for it needs root."
        )
    for left in root.parent.glob(f"{root.name}.making-*"):
        shutil.rmtree(left)
    mirrors = debian_mirrors()
    if not mirrors:
        raise NoAsterisk(
            "No Debian mirror in /etc/apt/sources.list or /etc/apt/sources.list.d. Add this"
            f" machine's Debian mirror there, or install Asterisk {OLDEST} or later."
        )
    failures = []
    for mirror in mirrors:
        making = Path(tempfile.mkdtemp(prefix=f"{root.name}.making-", dir=root.parent))
        print(
            f"set-up: making a root folder for Asterisk ({SUITE}), about half a minute", flush=True
        )
        failed = _bootstrap(making, mirror)
        if not failed:
            making.chmod(0o755)
            making.rename(root)
            print(f"set-up: Asterisk {_version(root)} is in {root}", flush=True)
            return
        failures.append(f"{mirror}:\n{failed}")
        shutil.rmtree(making)
    raise NoAsterisk("Asterisk's root folder could not be made from\n" + "\n".join(failures))


def _bootstrap(folder: Path, mirror: str) -> str:
    """Fill `folder`; what went wrong, or nothing."""
    command = ["mmdebstrap", "--variant=apt", "--mode=root"]
    command += ["--include=asterisk,ca-certificates"]
    command += [f"--aptopt={option}" for option in APT_OPTIONS]
    command += [SUITE, str(folder), mirror]
    try:
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        return "mmdebstrap is not installed (tests/lab/setup.sh installs it)"
    if done.returncode == 0 and _version(folder) >= OLDEST:
        return ""
    return "\n".join(done.stderr.splitlines()[-15:]) or "it has no Asterisk in it"


def _version(root: Path) -> int:
    """The major version of the Asterisk in a root folder, 0 if there is none."""
    if not (root / "usr/sbin/asterisk").exists():
        return 0
    enter = [] if root == Path("/") else ["/usr/sbin/chroot", str(root)]
    command = [*enter, "/usr/sbin/asterisk", "-V"]
    said = subprocess.run(command, capture_output=True, text=True).stdout
    found = re.match(r"Asterisk (?:certified/)?(\d+)", said)
    return int(found[1]) if found else 0


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    """Let one process at a time make the root folder; the others wait and then find it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    try:
        asterisk_root()
    except NoAsterisk as problem:
        raise SystemExit(f"set-up: {problem}") from None
