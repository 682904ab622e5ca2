"""A Dockerfile, carried out in a plain root folder, for machines without Docker.

Only what the project's own Dockerfiles say is understood; anything else is an error, so that
nothing in them goes unproven.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from string import Template

from tests.lab.root_folder import cache, only_one, root_folder, user_of

# What Docker gives to a container whose image says nothing else.
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
CERTIFICATES = "/etc/ssl/of-this-machine.crt"


class Dockerfile:
    """The instructions of one file, in order; COPY's sources are below the folder `context`."""

    def __init__(self, path: Path, context: Path) -> None:
        self.path = path
        self.context = context
        self.instructions = list(_instructions(path.read_text()))
        self.environment = dict(ENVIRONMENT)
        self.user = "root"
        self.command: list[str] = []
        entrypoint: list[str] = []
        known = {"FROM", "RUN", "COPY", "ENV", "USER", "WORKDIR", "ENTRYPOINT", "CMD"}
        for word, rest in self.instructions:
            assert word in known, f"{path}: {word} is not understood here"
            if word == "ENV":
                name, _, value = rest.partition("=")
                self.environment[name] = Template(value).substitute(self.environment)
            elif word == "USER":
                self.user = rest
            elif word == "ENTRYPOINT":
                entrypoint = json.loads(rest)
            elif word == "CMD":
                self.command = json.loads(rest)
        self.command = entrypoint + self.command

    @property
    def suite(self) -> str:
        """Of `FROM debian:SUITE`."""
        word, base = self.instructions[0]
        name, _, suite = base.partition(":")
        assert (word, name) == ("FROM", "debian") and suite, f"{self.path}: {word} {base}"
        return suite

    def sources(self) -> Iterator[Path]:
        """What its COPY lines name."""
        for word, rest in self.instructions:
            if word == "COPY":
                for pattern in rest.split()[:-1]:
                    found = sorted(self.context.glob(pattern))
                    assert found, f"{self.path}: COPY {pattern}: there is no such file"
                    yield from found

    @contextmanager
    def built(self) -> Iterator[Path]:
        """A plain root folder of its suite with every line carried out, removed afterwards."""
        plain = root_folder(f"plain-{self.suite}", self.suite)
        name = f"image-{self.path.stem}"
        root = cache() / name
        with only_one(name):
            try:
                shutil.rmtree(root, ignore_errors=True)  # left by a run that was killed
                subprocess.run(["cp", "--archive", "--reflink=auto", plain, root], check=True)
                self._carry_out(root)
                yield root
            finally:
                shutil.rmtree(root, ignore_errors=True)

    def enter(self, root: Path) -> Callable[[], None]:
        """What makes a child process one of the container: its root folder and its user."""
        uid, gid = user_of(root, self.user)

        def become() -> None:
            os.chroot(root)
            os.chdir("/")
            os.setgroups([])
            os.setgid(gid)
            os.setuid(uid)

        return become

    def _carry_out(self, root: Path) -> None:
        environment = {**self.environment, **_network(root), "HOME": "/root"}
        for word, rest in self.instructions:
            if word == "RUN":
                done = subprocess.run(
                    ["/usr/sbin/chroot", root, "/bin/sh", "-c", rest],
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
                said = "\n".join(done.stdout.splitlines()[-30:])
                assert done.returncode == 0, f"{self.path}: RUN {rest}\n{said}"
            elif word == "COPY":
                self._copy(root, *rest.split())
            elif word == "WORKDIR":
                (root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)

    def _copy(self, root: Path, *words: str) -> None:
        """As Docker does: a folder's content, not the folder; into what ends with a slash."""
        *patterns, into = words
        target = root / into.lstrip("/")
        for source in (path for pattern in patterns for path in self.context.glob(pattern)):
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True)
                continue
            place = target / source.name if into.endswith("/") else target
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, place)


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        word, _, rest = line.partition(" ")
        yield word, rest.strip()


def _network(root: Path) -> Mapping[str, str]:
    """Let apt and pip inside reach what this machine reaches; returns the environment for it."""
    names = ("etc/resolv.conf", "etc/hosts", "etc/pip.conf")
    settings = {Path("/", name): root / name for name in names}
    settings[Path.home() / ".config/pip/pip.conf"] = root / "root/.config/pip/pip.conf"
    for path, inside in settings.items():
        if path.is_file():
            inside.parent.mkdir(parents=True, exist_ok=True)
            inside.unlink(missing_ok=True)
            shutil.copyfile(path, inside)
    environment = {
        name: value
        for name, value in os.environ.items()
        if name.startswith("PIP_") or name.lower().endswith("_proxy")
    }
    authorities = Path(os.environ.get("SSL_CERT_FILE") or "/etc/ssl/certs/ca-certificates.crt")
    if authorities.is_file():
        inside = root / CERTIFICATES.lstrip("/")
        inside.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(authorities, inside)
        option = root / "etc/apt/apt.conf.d/99of-this-machine"
        option.write_text(f'Acquire::https::CaInfo "{CERTIFICATES}";\n')
        environment |= {"PIP_CERT": CERTIFICATES, "SSL_CERT_FILE": CERTIFICATES}
    return environment
