"""`telealarm migrate`: create the database, or bring it up to date."""

import argparse
from typing import TYPE_CHECKING

from telealarm.cli import numbers
from telealarm.cli.command import Commands

if TYPE_CHECKING:
    from telealarm.config.model import Config


def register(commands: Commands) -> None:
    """Add `telealarm migrate`."""
    commands.add("migrate", run, "create or migrate the database")


def run(settings: "Config", options: argparse.Namespace) -> int:
    """Create or migrate the database, and print the applied migrations."""
    from telealarm.store import open, stored_numbers
    from telealarm.store.engine import dialect

    tables, applied = open.migrated(settings)
    where = dialect.place(settings)
    print(f"{where}: {', '.join(applied) or 'nothing to do'}")
    if open.NUMBERS in applied:
        with tables.connection_context():
            numbers.show([str(one) for one in stored_numbers.review(write=False)])
    return 0
