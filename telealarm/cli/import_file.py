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

# More mistakes than this are only counted, so that the output stays readable.
_SHOWN = 200


def register(commands: Commands) -> None:
    """Add `telealarm import`."""
    parser = commands.add("import", run, "import events from a CSV or an iCalendar file")
    parser.add_argument("file", metavar="FILE.csv|FILE.ics")
    parser.add_argument("--calendar", metavar="ID|NAME", help="default: the column of that name")
    parser.add_argument("--user", metavar="MANAGER", help="the owner of the calendar")
    parser.add_argument("--number", help="the phone for the alarms of an iCalendar file")
    parser.add_argument(
        "--advance",
        metavar="SECONDS",
        type=int,
        default=0,
        help="how long before the event, if an iCalendar event has no alarm",
    )
    parser.add_argument("--dry-run", action="store_true", help="print what would be written")


def run(settings: Config, options: argparse.Namespace) -> int:
    """Import the file and print the result. Return 1 if something was refused."""
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
        print(f"{options.path}:{refused.line}: {refused.message}", file=sys.stderr)
    if len(report.refused) > _SHOWN:
        print(f"and {len(report.refused) - _SHOWN} more", file=sys.stderr)
    counts = [f"{number} {what}" for what, number in sorted(report.counts.items())]
    summary = ", ".join([*counts, f"{len(report.refused)} refused"])
    print(
        f"{options.path}: {summary}{'; nothing was written (dry run)' if options.dry_run else ''}"
    )
    return 1 if report.refused else 0


def _progress(done: int) -> None:
    """Show the progress, but only on a terminal: it is useless in a log."""
    if sys.stderr.isatty():
        print(f"\r{done} read", end="", file=sys.stderr, flush=True)
