"""How a measurement starts its peers, which live in a virtual environment of their own."""

import os
from argparse import ArgumentParser
from pathlib import Path

from benchmarks.lab.service import ROOT

DEFAULT = ROOT / ".venv-peers" / "bin" / "python"


def add_option(parser: ArgumentParser) -> None:
    """Add `--peers-python`, whose value `program` takes."""
    parser.add_argument(
        "--peers-python",
        type=Path,
        default=DEFAULT,
        help="the Python of the environment that benchmarks/peers.sh made (.venv-peers)",
    )


def program(python: Path) -> Path:
    """Return the peers' Python. SystemExit with what to do if it is not there."""
    if not python.exists():
        raise SystemExit(f"{python} is missing: run benchmarks/peers.sh first.")
    return python.absolute()


def environment() -> dict[str, str]:
    """Return the environment in which a peer finds `benchmarks`, from any folder."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}
