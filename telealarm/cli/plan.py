"""`telealarm plan`: the dry run. It calls nobody."""

import argparse
from typing import TYPE_CHECKING

from telealarm.cli.command import Commands
from telealarm.clock import utcnow

if TYPE_CHECKING:
    from telealarm.config.model import Config


def register(commands: Commands) -> None:
    """Add `telealarm plan`."""
    parser = commands.add(
        "plan", run, "the dry run: what would be called, put off or left out, and why"
    )
    parser.add_argument(
        "--days", type=_days, default=30, metavar="N", help="how far ahead, 30 by default"
    )


def _days(text: str) -> int:
    days = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
    if not 1 <= days <= 366:
        raise argparse.ArgumentTypeError("a whole number of days from 1 to 366")
    return days


def run(settings: "Config", options: argparse.Namespace) -> int:
    """Print the plan. Nothing is written."""
    from telealarm.cli.plan_text import show
    from telealarm.store.open import open_database

    db = open_database(settings)
    db.look(show, options.days, utcnow(), print)
    return 0
