"""docker-compose.yml on the lab's engine, as an operator has it: a checkout, a `.env`, and what the
page docs/how-to/docker.md has typed.
"""

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.lab import engine_images
from tests.lab.engine import Engine
from tests.lab.rest import Rest
from tests.lab.waiting import until

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "how-to" / "docker.md"
# What is fetched while an image is built, and so cannot be built without a way out the first time.
FETCHING = ("asterisk.Dockerfile", "telealarm.Dockerfile", "requirements.txt")
SERVICES = ("asterisk", "postgres", "telealarm")


class Stack:
    """The three containers, and the checkout that they are built from."""

    # Those of env.example.
    sip_port = 5060
    api = "http://127.0.0.1:8000"

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.folder = engine.work / "checkout"
        # A client behind a proxy, which Docker hands on to all containers. Nobody is there.
        self._client = engine.work / "client"
        self._values: dict[str, str] = {}

    def check_out(self) -> None:
        """Copy the files that git knows or would take, as the umask 077 makes them."""
        shutil.rmtree(self.folder, ignore_errors=True)
        asked = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(asked, cwd=REPOSITORY, check=True, capture_output=True, text=True)
        for name in names.stdout.rstrip("\0").split("\0"):
            if (REPOSITORY / name).is_file():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(REPOSITORY / name, self.folder / name)
        for path in [self.folder, *self.folder.rglob("*")]:
            path.chmod(0o700 if path.is_dir() else 0o600)

    def fetch(self) -> None:
        """Build the images with a way out, unless what is fetched was fetched before."""
        files = [self.folder / "config" / "docker" / name for name in FETCHING]
        wanted = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
        fetched = self.engine.home / "fetched"
        if fetched.exists() and fetched.read_text() == wanted:
            return
        with self.engine.online():
            build = ("docker", "compose", "build", *engine_images.proxies())
            self.engine.run(*build, cwd=self.folder, env=self._values, seconds=900)
        fetched.write_text(wanted)

    def fill_in(self, values: Mapping[str, str]) -> None:
        """Edit `.env`: each value goes where its name stands."""
        path = self.folder / ".env"
        text = path.read_text()
        for name, value in values.items():
            text, changed = re.subn(rf"(?m)^{name}=.*$", f"{name}={value}", text)
            assert changed == 1, name
        path.write_text(text)

    def proxied(self) -> dict[str, str]:
        """The environment of a client that is told of a proxy."""
        self._client.mkdir(exist_ok=True)
        proxy = {"httpProxy": "http://127.0.0.1:9", "httpsProxy": "http://127.0.0.1:9"}
        config = json.dumps({"proxies": {"default": proxy}})
        (self._client / "config.json").write_text(config)
        return {"DOCKER_CONFIG": str(self._client)}

    def type(self, lines: str) -> str:
        """What these lines print, typed into a shell in the checkout."""
        return self.engine.run(
            "bash", "-eu", stdin=lines, cwd=self.folder, env=self.proxied(), seconds=180
        )

    def compose(self, *words: str, check: bool = True) -> str:
        """What `docker compose WORDS` prints."""
        return self.engine.run("docker", "compose", *words, cwd=self.folder, check=check)

    def exec(self, service: str, *command: str) -> str:
        """What a command prints in a service's container."""
        return self.compose("exec", "-T", service, *command)

    def inspect(self, service: str) -> dict[str, Any]:
        """All that Docker knows of a service's container."""
        name = self.compose("ps", "--all", "--quiet", service).strip()
        (found,) = json.loads(self.engine.run("docker", "inspect", name))
        container: dict[str, Any] = found
        return container

    def health(self) -> dict[str, str]:
        """What each health check says."""
        return {name: self.inspect(name)["State"]["Health"]["Status"] for name in SERVICES}

    async def healthy(self, seconds: float = 60) -> None:
        """Return when all three are well."""
        await until(
            lambda: set(self.health().values()) == {"healthy"},
            seconds,
            lambda: f"all are healthy: {self.health()}\n{self.logs()}",
        )

    def kill9(self, service: str) -> None:
        """End a container's first process as a crash would. `docker kill` would be an order to
        stay down.
        """
        pid = self.inspect(service)["State"]["Pid"]
        self.engine.run("sh", "-c", f"kill -9 {pid}")

    def rest(self, user: str, password: str) -> Rest:
        return Rest(self.api, user, password, self.engine.network)

    def logs(self) -> str:
        return self.compose("logs", "--tail=15", "--no-color", check=False)
