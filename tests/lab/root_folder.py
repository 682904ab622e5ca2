"""Root folders of Debian suites, made once and kept in the user's cache.

They come from the mirror that this machine already uses, and hold apt and what is asked for.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.lab.apt_sources import debian_mirrors

APT_OPTIONS = (
    'APT::Install-Recommends "false"',
    'Acquire::Check-Valid-Until "false"',
    'Acquire::Check-Date "false"',
)


class NoRootFolder(Exception):
    """A root folder could not be made; the message says what to do."""


def root_folder(name: str, suite: str, packages: Sequence[str] = ()) -> Path:
    """The root folder `name`, made now if need be (10 to 30 s). Nobody may write in it."""
    root = cache() / name
    with only_one(name):
        if not root.is_dir():
            _make(root, suite, packages)
    return root


def cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "telealarm"


def user_of(root: Path, name: str) -> tuple[int, int]:
    """Numeric user and group of the user `name` in a root folder; they differ from the host's."""
    for line in (root / "etc/passwd").read_text().splitlines():
        found, _, uid, gid, *_ = line.split(":")
        if found == name:
            return int(uid), int(gid)
    raise RuntimeError(f"{root}/etc/passwd has no user {name}")


@contextmanager
def only_one(name: str) -> Iterator[None]:
    """Let one process at a time work at the folder `name` of the cache; the others wait."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / f"{name}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _make(root: Path, suite: str, packages: Sequence[str]) -> None:
    """Build beside `root` and rename, so that a half-made folder never has its name."""
    if os.geteuid() != 0:
        raise NoRootFolder(f"Making a root folder of Debian {suite} needs root.")
    for left in root.parent.glob(f"{root.name}.making-*"):
        shutil.rmtree(left)
    mirrors = debian_mirrors()
    if not mirrors:
        raise NoRootFolder(
            "No Debian mirror in /etc/apt/sources.list or /etc/apt/sources.list.d. Add this"
            " machine's Debian mirror there."
        )
    failures = []
    for mirror in mirrors:
        making = Path(tempfile.mkdtemp(prefix=f"{root.name}.making-", dir=root.parent))
        holding = f" with {', '.join(packages)}" if packages else ""
        print(
            f"set-up: making a root folder of Debian {suite}{holding}, about half a minute",
            flush=True,
        )
        failed = _bootstrap(making, suite, packages, mirror)
        if not failed:
            making.chmod(0o755)
            making.rename(root)
            return
        failures.append(f"{mirror}:\n{failed}")
        shutil.rmtree(making)
    raise NoRootFolder(f"{root} could not be made from\n" + "\n".join(failures))


def _bootstrap(folder: Path, suite: str, packages: Sequence[str], mirror: str) -> str:
    """Fill `folder`; what went wrong, or nothing."""
    command = ["mmdebstrap", "--variant=apt", "--mode=root"]
    command += [f"--include={package}" for package in packages]
    command += [f"--aptopt={option}" for option in APT_OPTIONS]
    # Nothing here has to outlast a power cut; Docker's own images of Debian say so too.
    command += ["--dpkgopt=force-unsafe-io"]
    command += [suite, str(folder), mirror]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, umask=0o022
        )
    except FileNotFoundError:
        return "mmdebstrap is not installed; install it: apt-get install mmdebstrap"
    if done.returncode == 0:
        return ""
    return "\n".join(done.stderr.splitlines()[-15:]) or f"exit status {done.returncode}"
