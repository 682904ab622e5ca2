"""A copy of the package to which a test adds a file, and programs that run with the copy."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import telealarm
from tests.lab.speed import limit

PACKAGE = Path(telealarm.__file__).parent


def copy_package(folder: Path) -> Path:
    """Copy the package into `folder`. Return the copy."""
    copy = folder / "code" / "telealarm"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def run_with_copy(folder: Path, *arguments: str) -> str:
    """Run Python with the copy in `folder`. Return its output; it must end with status 0."""
    # The copy first, then the tests' own folder.
    paths = os.pathsep.join([str(folder / "code"), str(PACKAGE.parent)])
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=limit(120),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
