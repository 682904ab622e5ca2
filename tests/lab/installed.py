"""A Debian in a root folder in which the lines of the how-to are run, as an operator types them.

It has a network and processes of its own, so that the services find their usual ports, and end with
the test. Nothing there reaches the network; `online` does, for what has to be downloaded.
"""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab import machine_settings
from tests.lab.asterisk_root import asterisk_root
from tests.lab.processes import Child
from tests.lab.root_folder import cache, only_one, root_folder
from tests.lab.speed import limit

REPOSITORY = Path(__file__).parents[2]
SYSTEMCTL = REPOSITORY / "tests/lab/systemctl.py"
# What the README asks for, and what the how-to installs.
PACKAGES = (
    *("ca-certificates", "python3", "python3-venv", "make", "git", "flite", "espeak-ng"),
    *("passwd", "systemd", "iproute2"),
)
NAME = "installed-trixie"
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
}


class InstalledDebian:
    """The folder `root`: this repository is in /opt/telealarm, an Asterisk in /srv/asterisk."""

    def __init__(self, root: Path, init: int) -> None:
        self.root = root
        self._init = init

    def online(self, lines: str, seconds: float = 600) -> subprocess.CompletedProcess[str]:
        """Run shell lines as root, with this machine's network. AssertionError if one fails."""
        environment = {**ENVIRONMENT, **machine_settings.proxies()}
        return self._run([], lines, environment, seconds)

    def run(self, lines: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """The same among its own processes, without a network."""
        spaces = [f"--{kind}=/proc/{self._init}/ns/{kind}" for kind in ("net", "pid")]
        return self._run(["nsenter", *spaces], lines, ENVIRONMENT, seconds)

    def _run(
        self, before: list[str], lines: str, environment: dict[str, str], seconds: float
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*before, "/usr/sbin/chroot", self.root, "/bin/bash", "-e", "-o", "pipefail", "-s"],
            input=lines,
            env=environment,
            capture_output=True,
            text=True,
            timeout=limit(seconds),
            umask=0o022,
        )
        assert done.returncode == 0, f"{lines}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done


@contextmanager
def installed_debian() -> Iterator[InstalledDebian]:
    """A new one, removed afterwards."""
    plain = root_folder(NAME, "trixie", PACKAGES)
    root = cache() / f"{NAME}-copy"
    with only_one(root.name):
        shutil.rmtree(root, ignore_errors=True)  # left by a run that was killed
        try:
            subprocess.run(["cp", "--archive", "--reflink=auto", plain, root], check=True)
            _copy(asterisk_root(), root / "srv/asterisk", "./run/telealarm-lab", "./root")
            _copy_repository(root / "opt/telealarm")
            machine_settings.write(root)
            for name in ("resolv.conf", "hosts"):
                shutil.copyfile(f"/etc/{name}", root / "etc" / name)
            shutil.copy(SYSTEMCTL, root / "usr/local/bin/systemctl")
            (root / "usr/local/bin/systemctl").chmod(0o755)
            with _spaces(root.with_name(f"{root.name}.log")) as init:
                yield InstalledDebian(root, init)
        finally:
            shutil.rmtree(root, ignore_errors=True)


def _copy(source: Path, target: Path, *without: str) -> None:
    """Copy a root folder with its owners."""
    target.mkdir(parents=True)
    excluded = [f"--exclude={path}" for path in without]
    packing = ["tar", "--numeric-owner", *excluded, "-C", str(source), "-c", "."]
    with subprocess.Popen(packing, stdout=subprocess.PIPE) as tar:
        unpacking = ["tar", "--numeric-owner", "-x", "-C", str(target)]
        subprocess.run(unpacking, stdin=tar.stdout, check=True)
    assert tar.returncode in (0, 1), "1: a file changed while it was read"
    (target / "root").mkdir(exist_ok=True)


def _copy_repository(target: Path) -> None:
    """Copy what git knows, as a clone has it."""
    names = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in names.split("\0"):
        source = REPOSITORY / name
        if name and source.is_file():
            place = target / name
            for folder in reversed(place.parents):
                if not folder.exists():
                    folder.mkdir()
                    folder.chmod(0o755)
            shutil.copy(source, place)
            place.chmod(place.stat().st_mode | 0o044)


@contextmanager
def _spaces(log: Path) -> Iterator[int]:
    """Namespaces of network and processes. Yield their first process; all end with it."""
    holder = Child(
        [
            *("unshare", "--net", "--pid", "--fork", "--kill-child"),
            *("sh", "-c", "ip link set lo up && echo up && exec sleep infinity"),
        ],
        log,
    )
    try:
        children = Path(f"/proc/{holder.pid}/task/{holder.pid}/children")
        while "up" not in log.read_text():
            assert holder.running, holder.tail()
        yield int(children.read_text().split()[0])
    finally:
        holder.signal(signal.SIGKILL)
        holder.wait_for(10)
        log.unlink()
