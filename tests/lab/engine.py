"""A Docker engine with Compose, from Debian's packages, in namespaces of its own.

Nothing of the machine is changed: the engine's mounts, network, firewall rules and processes end
with it. Its images and what it has built stay in the cache.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.lab.network import Network
from tests.lab.processes import Child
from tests.lab.root_folder import cache, only_one, root_folder
from tests.lab.speed import account, limit

PACKAGES = (
    *("docker.io", "docker-cli", "docker-compose", "docker-buildx", "ca-certificates", "iproute2"),
    *("iptables", "mount", "procps", "slirp4netns", "tini"),
)
START_SECONDS = 60.0
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def engine_root() -> Path:
    """The root folder that the engine and Compose run in, made now if need be (a minute)."""
    return root_folder("engine-trixie", "trixie", PACKAGES)


class Engine:
    """One engine; one process at a time has it, the others wait for it.

    Its network has no way out, but in a block `with engine.online():`.
    """

    def __init__(self) -> None:
        self.home = cache() / "engine"
        self._stack = ExitStack()
        self._child: Child | None = None
        self._first = 0

    @property
    def work(self) -> Path:
        """A folder that the engine sees under the same name."""
        return self.home / "work"

    @property
    def network(self) -> Network:
        """Where containers with the host's network live, and published ports are."""
        return Network(self._first)

    def start(self) -> None:
        """Start, and return when Docker answers. AssertionError with its last lines if not."""
        self._stack.enter_context(only_one("engine"))
        for name in ("data", "root", "work"):
            (self.home / name).mkdir(parents=True, exist_ok=True)
        (self.home / "docker.sock").unlink(missing_ok=True)
        log = self.home / "log"
        log.unlink(missing_ok=True)
        namespaces = ["--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child"]
        script = Path(__file__).with_name("engine.sh")
        argv: list[str | Path] = ["unshare", *namespaces, "sh", script, engine_root(), self.home]
        self._child = Child(argv, log, env={"PATH": PATH, "HOME": "/root"})
        self._wait(self._has_begun, "its namespaces are laid")
        self._wait(self._answers, "Docker answers")
        # What a run that was killed has left.
        if left := self.run("docker", "ps", "--all", "--quiet").split():
            self.run("docker", "rm", "--force", "--volumes", *left)
        self.run("docker", "volume", "prune", "--all", "--force")

    def stop(self) -> None:
        """End the engine and its containers; what was built stays."""
        if self._child and self._child.running:
            self.run("docker", "image", "prune", "--force", check=False)
            self.run("docker", "builder", "prune", "--force", "--keep-storage=4GB", check=False)
            os.kill(self._first, signal.SIGTERM)
            try:
                self._child.wait_for(limit(60))
            except subprocess.TimeoutExpired:
                # With it end all processes of its namespaces.
                self._child.signal(signal.SIGKILL)
                self._child.wait_for(limit(10))
        # The groups are the one thing that it shares with the machine.
        for folder in Path("/sys/fs/cgroup").glob("**/telealarm-lab"):
            for path, _, _ in os.walk(folder, topdown=False):
                with suppress(OSError):
                    Path(path).rmdir()
        self._stack.close()

    def run(
        self,
        *command: str | Path,
        cwd: Path | None = None,
        stdin: str = "",
        env: Mapping[str, str] | None = None,
        check: bool = True,
        seconds: float = 120,
    ) -> str:
        """What a command prints that runs beside the engine: docker, bash and the like.

        AssertionError with the last lines if it fails, unless `check` is false.
        """
        done = self.done(*command, cwd=cwd, stdin=stdin, env=env, seconds=seconds)
        said = "\n".join((done.stdout + done.stderr).splitlines()[-40:])
        assert done.returncode == 0 or not check, f"{' '.join(map(str, command))}:\n{said}"
        return done.stdout

    def done(
        self,
        *command: str | Path,
        cwd: Path | None = None,
        stdin: str = "",
        env: Mapping[str, str] | None = None,
        seconds: float = 120,
    ) -> subprocess.CompletedProcess[str]:
        """The same, with its exit status and both outputs."""
        return subprocess.run(
            [*self._enter(cwd or self.work, env or {}), *command],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=limit(seconds),
        )

    def feed(self, source: Sequence[str | Path], *command: str) -> None:
        """Run a command beside the engine with what a program of this machine prints."""
        with subprocess.Popen(source, stdout=subprocess.PIPE) as sender:
            done = subprocess.run(
                [*self._enter(self.work, {}), *command],
                stdin=sender.stdout,
                capture_output=True,
                text=True,
            )
        assert sender.returncode == done.returncode == 0, f"{source}: {done.stderr}"

    @contextmanager
    def online(self) -> Iterator[None]:
        """A block in which builds reach what this machine reaches: Debian's mirror and PyPI."""
        argv = ["nsenter", f"--target={self._first}", "--mount", "slirp4netns", "--configure"]
        argv += ["--mtu=65520", "--disable-host-loopback", "--netns-type=path"]
        way_out = Child([*argv, "/proc/1/ns/net", "tap0"], self.home / "online.log")

        def is_up() -> bool:
            assert way_out.running, way_out.tail()
            shown = self.run("ip", "-4", "-oneline", "address", "show", "tap0", check=False)
            return "inet" in shown

        try:
            self._wait(is_up, "the engine's network has a way out")
            yield
        finally:
            way_out.signal(signal.SIGTERM)
            way_out.wait_for(limit(10))

    def _enter(self, folder: Path, env: Mapping[str, str]) -> list[str]:
        values = {
            "PATH": PATH,
            "HOME": "/root",
            "DOCKER_HOST": f"unix://{self.home}/docker.sock",
            **env,
        }
        argv = ["nsenter", f"--target={self._first}", "--mount", "--net", "--pid", "--ipc", "--uts"]
        argv += [f"--wdns={folder}", "env", "--ignore-environment"]
        return argv + [f"{name}={value}" for name, value in values.items()]

    def _has_begun(self) -> bool:
        """Whether the first process, a child of `unshare`, has its root folder."""
        assert self._child
        children = Path(f"/proc/{self._child.pid}/task/{self._child.pid}/children").read_text()
        if not children.split():
            return False
        self._first = int(children.split()[0])
        command = Path(f"/proc/{self._first}/cmdline").read_bytes()
        return command.startswith(b"tini\0")

    def _answers(self) -> bool:
        return self.done("docker", "version", cwd=Path("/")).returncode == 0

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        assert self._child
        deadline = time.monotonic() + limit(START_SECONDS)
        while not condition():
            assert self._child.running, f"the engine has ended:\n{self._child.tail()}"
            in_time = time.monotonic() < deadline
            assert in_time, f"not in time: {what}; {account()}\n{self._child.tail()}"
            time.sleep(0.05)


@contextmanager
def running() -> Iterator[Engine]:
    """An engine for the time of a block."""
    engine = Engine()
    try:
        engine.start()
        yield engine
    finally:
        engine.stop()
