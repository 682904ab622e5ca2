"""`telealarm example NAME`: load a ready set-up for one manager."""

import argparse
from typing import TYPE_CHECKING

from telealarm.cli.command import Commands

if TYPE_CHECKING:
    from telealarm.config.model import Config

EXAMPLES = ("wakeup", "appointment", "personal")


def register(commands: Commands) -> None:
    """Add `telealarm example`."""
    parser = commands.add("example", run, "load a ready example for a manager")
    parser.add_argument("name", metavar="wakeup|appointment|personal", choices=EXAMPLES)
    parser.add_argument("--user", required=True, help="the manager who gets it")
    parser.add_argument("--number", required=True, help="the phone that its alarms ring")
    parser.add_argument(
        "--reception", default="", help="the phone that gets an SMS about failed calls"
    )
    parser.add_argument("--gateway", metavar="NAME", help="default: the first active one")
    parser.add_argument("--sms-gateway", metavar="NAME", help="default: the first active one")
    parser.add_argument("--timezone", metavar="ZONE", help="default: the configuration's")
    parser.add_argument("--dry-run", action="store_true", help="print what would be written")


def run(settings: "Config", options: argparse.Namespace) -> int:
    """Load the example, and print each step."""
    from telealarm.cli.example_steps import Asked, load, read
    from telealarm.store.open import open_database

    db = open_database(settings)
    about, steps = read(options.name)
    print(about)
    asked = Asked(
        user=options.user,
        number=options.number,
        reception=options.reception,
        gateway=options.gateway,
        sms_gateway=options.sms_gateway,
        timezone=options.timezone or settings.timezone,
    )
    done = load(db, settings, steps, asked, dry_run=options.dry_run)
    for step in done:
        print(step.what, step.path, step.title, sep="\t")
    changed = sum(step.what != "kept" for step in done)
    what = "nothing was written (dry run)" if options.dry_run else f"{changed} written"
    print(f"{len(done)} steps, {what}")
    return 0
