"""Stand-ins for the images of Docker Hub, made from Debian's packages, under the names that the
project's own files give them.
"""

import re
import shutil
from pathlib import Path

from tests.lab import machine_settings
from tests.lab.engine import Engine
from tests.lab.root_folder import root_folder

POSTGRES = Path(__file__).with_name("postgres_image")


def named(folder: Path) -> list[str]:
    """The images that the compose file and the Dockerfiles in a checkout begin with."""
    files = [folder / "docker-compose.yml", *folder.glob("config/docker/*.Dockerfile")]
    text = "\n".join(path.read_text() for path in files)
    return sorted(set(re.findall(r"(?m)^(?:FROM|\s+image:) (\S+)$", text)))


def make(engine: Engine, images: list[str]) -> None:
    """Make those that the engine lacks; PostgreSQL's needs the way out."""
    lacking = [image for image in images if not has(engine, image)]
    # PostgreSQL's stands on Debian's.
    for image in sorted(lacking, key=lambda image: image.startswith("postgres")):
        name, _, tag = image.partition(":")
        if name == "debian":
            _debian(engine, image, tag.split("-")[0])
        elif name == "postgres":
            _postgres(engine, image, tag.split(".")[0])
        else:
            raise AssertionError(f"{image}: the lab has no stand-in for it")


def has(engine: Engine, image: str) -> bool:
    return engine.done("docker", "image", "inspect", image).returncode == 0


def proxies() -> list[str]:
    """What `docker build` has to know of this machine's way out."""
    return [f"--build-arg={name}={value}" for name, value in machine_settings.proxies().items()]


def _debian(engine: Engine, image: str, suite: str) -> None:
    """A plain Debian, with what this machine's own apt and pip need to reach their sources."""
    plain = root_folder(f"plain-{suite}", suite)
    machine = engine.work / "machine"
    shutil.rmtree(machine, ignore_errors=True)
    machine_settings.write(machine)
    files = [str(path.relative_to(machine)) for path in machine.rglob("*") if path.is_file()]
    archive = ["tar", "--create", "--numeric-owner", "-C", str(plain), "."]
    engine.feed(
        [*archive, "-C", str(machine), *files],
        "docker",
        "import",
        "--change",
        'CMD ["bash"]',
        "-",
        image,
    )


def _postgres(engine: Engine, image: str, version: str) -> None:
    """PostgreSQL with the official image's variables, volume, first start and user."""
    base = "debian:trixie"
    if not has(engine, base):
        _debian(engine, base, "trixie")
    context = engine.work / "postgres"
    shutil.copytree(POSTGRES, context, dirs_exist_ok=True)
    arguments = [f"--build-arg=BASE={base}", f"--build-arg=VERSION={version}", *proxies()]
    with engine.online():
        build = ["docker", "build", "--quiet", *arguments, "--tag", image, str(context)]
        engine.run(*build, seconds=300)
