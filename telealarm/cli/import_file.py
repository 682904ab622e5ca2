"""`telealarm import`: events and their alarms from a CSV or an iCalendar file."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from telealarm.cli.command import Commands
from telealarm.config.model import Config

if TYPE_CHECKING:
    from telealarm.importing.load import Options
    from telealarm.importing.writer import Report

# So that a file of thousands of mistakes can still be read.
_SHOWN = 200


def register(commands: Commands) -> None:
    parser = commands.add("import", run, "import events from a CSV or an iCalendar file")
    parser.add_argument("file", metavar="FILE.csv|FILE.ics")
    parser.add_argument("--calendar", metavar="ID|NAME", help="else the column of that name")
    parser.add_argument("--user", metavar="MANAGER", help="whose calendar that is")
    parser.add_argument("--number", help="the phone that the alarms of an iCalendar file ring")
    parser.add_argument(
        "--advance",
        metavar="SECONDS",
        type=int,
        default=0,
        help="how long before, where an event of an iCalendar file has no alarm of its own",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be written")


def run(settings: Config, options: argparse.Namespace) -> int:
    """Import the file, and print what became of it; 1 if something was refused."""
    from telealarm.importing.load import Options, load
    from telealarm.store.open import open_database

    asked = Options(
        path=Path(options.file),
        calendar=options.calendar,
        user=options.user,
        number=options.number,
        advance_seconds=options.advance,
        dry_run=options.dry_run,
    )
    return _report(load(settings, open_database(settings), asked, _progress), asked)


def _report(report: "Report", options: "Options") -> int:
    for remark in report.remarks:
        print(f"remark: {remark}")
    for refused in report.refused[:_SHOWN]:
        print(f"{options.path}:{refused.line}: {refused.said}", file=sys.stderr)
    if len(report.refused) > _SHOWN:
        print(f"and {len(report.refused) - _SHOWN} more", file=sys.stderr)
    counts = [f"{number} {what}" for what, number in sorted(report.counts.items())]
    said = ", ".join([*counts, f"{len(report.refused)} refused"])
    print(f"{options.path}: {said}{'; nothing was written (dry run)' if options.dry_run else ''}")
    return 1 if report.refused else 0


def _progress(done: int) -> None:
    """On a terminal alone: a log has no use for it."""
    if sys.stderr.isatty():
        print(f"\r{done} read", end="", file=sys.stderr, flush=True)
