"""`telealarm numbers`: read the phone numbers in the database again, and list those that stay."""

import argparse
from typing import TYPE_CHECKING

from telealarm.cli.command import Commands

if TYPE_CHECKING:
    from telealarm.config.model import Config

_SHOWN = 100


def register(commands: Commands) -> None:
    """Add `telealarm numbers`."""
    parser = commands.add(
        "numbers", run, "read phone numbers again, after a region was set, and list what stays"
    )
    parser.add_argument("--dry-run", action="store_true", help="only list, change nothing")


def run(settings: "Config", options: argparse.Namespace) -> int:
    """Save the E.164 forms that are missing. Print the numbers that cannot be read."""
    from telealarm.store import audit, stored_numbers
    from telealarm.store.open import open_database

    db = open_database(settings)

    def write() -> list[str]:
        if not options.dry_run:
            audit.add(audit.by_command(), "numbers", None, "review", {}, owner_id=None)
        return [str(one) for one in stored_numbers.review(write=not options.dry_run)]

    show(db.run(write))
    return 0


def show(unread: list[str]) -> None:
    """Print the numbers without an E.164 form."""
    for line in unread[:_SHOWN]:
        print(line)
    if len(unread) > _SHOWN:
        print(f"and {len(unread) - _SHOWN} more")
    print(f"{len(unread)} numbers have no E.164 form or are not called")
