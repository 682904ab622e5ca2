"""`telealarm migrate`: create the database, or bring it up to date."""

import argparse

from telealarm.cli.command import Commands
from telealarm.config.model import Config


def register(commands: Commands) -> None:
    """Add `telealarm migrate`."""
    commands.add("migrate", run, "create or migrate the database")


def run(settings: Config, options: argparse.Namespace) -> int:
    """Create or migrate the database, and print the applied migrations."""
    from telealarm.store import open
    from telealarm.store.engine import database, dialect

    applied = open.migrate(database.connect(settings), settings)
    where = dialect.place(settings)
    print(f"{where}: {', '.join(applied) or 'nothing to do'}")
    return 0
