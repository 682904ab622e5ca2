"""What the images are made from is pinned: releases of bases, libraries by their hashes."""

import re
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement

REPOSITORY = Path(__file__).parents[2]
DOCKER = REPOSITORY / "config" / "docker"
LOCK = DOCKER / "requirements.txt"


def test_the_images_stand_on_releases() -> None:
    files = [REPOSITORY / "docker-compose.yml", *DOCKER.glob("*.Dockerfile")]
    text = "\n".join(path.read_text() for path in files)
    bases = re.findall(r"(?m)^(?:FROM| +image:) (\S+)$", text)
    assert len(bases) == 3
    assert all(re.fullmatch(r"debian:[a-z]+-\d{8}|postgres:\d+\.\d+", base) for base in bases)
    assert "'asterisk=1:22.*'" in text


def test_every_library_is_pinned_by_its_hashes() -> None:
    """`make lock` writes the file."""
    lines = [line for line in LOCK.read_text().splitlines() if not line.startswith("#")]
    assert "://" not in "\n".join(lines)
    pin = r"(?m)^(\S+)==(\S+)(?: ; [^\\\n]+)? \\\n +--hash=sha256:\w{64}(?: \\)?$"
    pinned = dict(re.findall(pin, LOCK.read_text()))
    assert len(pinned) == sum("==" in line for line in lines)
    for line in [*(requires("telealarm") or []), "setuptools>=68"]:
        wanted = Requirement(line)
        if wanted.marker is None or wanted.marker.evaluate({"extra": "", "python_version": "3.13"}):
            name = re.sub(r"[-_.]+", "-", wanted.name).lower()
            assert wanted.specifier.contains(pinned.get(name, "0")), f"{line}: run make lock"
