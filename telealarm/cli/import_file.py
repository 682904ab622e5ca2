"""`telealarm import`: events and their alarms from a CSV or an iCalendar file; `import undo`."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from telealarm.cli.command import Commands
from telealarm.errors import TeleAlarmError

if TYPE_CHECKING:
    from telealarm.config.model import Config
    from telealarm.importing.load import Options
    from telealarm.importing.mirror import Gone
    from telealarm.importing.writer import Report

# More mistakes than this are only counted, so that the output stays readable.
_SHOWN = 200
# `telealarm import undo ID`. No file can be called so: its name ends with .csv or .ics.
UNDO = "undo"


def register(commands: Commands) -> None:
    """Add `telealarm import`."""
    parser = commands.add("import", run, "import events from a CSV or an iCalendar file")
    parser.add_argument("file", metavar="FILE.csv|FILE.ics|undo")
    parser.add_argument("id", metavar="ID", nargs="?", type=int, help="with undo: which import")
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
    parser.add_argument(
        "--mirror",
        action="store_true",
        help="call off what was imported of this source before and is not in the file",
    )
    parser.add_argument(
        "--source", metavar="NAME", help="whose file it is; default: one source a kind of file"
    )
    parser.add_argument(
        "--yes", action="store_true", help="with --mirror: also a whole day, without asking"
    )
    parser.add_argument("--dry-run", action="store_true", help="print what would be written")


def run(settings: "Config", options: argparse.Namespace) -> int:
    """Import the file and print the result. Return 1 if something was refused or held back."""
    from telealarm.importing.load import Options, load
    from telealarm.store.open import open_database

    if options.file == UNDO:
        return _undo(settings, options)
    if options.id is not None:
        raise TeleAlarmError(f"name one file; {options.id} is the id of an import only after undo")
    asked = Options(
        path=Path(options.file),
        calendar=options.calendar,
        user=options.user,
        number=options.number,
        advance_seconds=options.advance,
        dry_run=options.dry_run,
        mirror=options.mirror,
        source=options.source,
    )

    def confirm(gone: "Gone") -> bool:
        return bool(options.yes) or _ask(gone)

    return _report(load(settings, open_database(settings), asked, _progress, confirm), asked)


def _undo(settings: "Config", options: argparse.Namespace) -> int:
    """Take an import back and print what was left. Return 1 if something was left."""
    from telealarm.importing.undo import undo
    from telealarm.store.open import open_database

    if options.id is None:
        raise TeleAlarmError("name the import: its report says `import ID`")
    result = undo(open_database(settings), options.id, dry_run=options.dry_run)
    for line in result.left:
        print(f"left: {line}")
    written = "; nothing was written (dry run)" if options.dry_run else ""
    print(f"import {options.id}: {result.taken_back} taken back, {len(result.left)} left{written}")
    return 1 if result.left else 0


def _ask(gone: "Gone") -> bool:
    """Ask whether these events are called off. Nobody is asked in a script: it is no then."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    for line in gone.lines[:_SHOWN]:
        print(line)
    return input(f"{gone.doubt}. Call them off? [y/N] ").strip().lower() in ("y", "yes")


def _report(report: "Report", options: "Options") -> int:
    for remark in report.remarks:
        print(f"remark: {remark}")
    for refused in report.refused[:_SHOWN]:
        print(f"{options.path}:{refused.line}: {refused.message}", file=sys.stderr)
    if len(report.refused) > _SHOWN:
        print(f"and {len(report.refused) - _SHOWN} more", file=sys.stderr)
    if report.held:
        print(f"{options.path}: {report.held}", file=sys.stderr)
    counts = [f"{number} {what}" for what, number in sorted(report.counts.items())]
    summary = ", ".join([*counts, f"{len(report.refused)} refused"])
    print(
        f"{options.path}: {summary}{'; nothing was written (dry run)' if options.dry_run else ''}"
    )
    if report.run_id is not None:
        print(f"import {report.run_id}: `telealarm import undo {report.run_id}` takes it back")
    return 1 if report.refused or report.held else 0


def _progress(done: int) -> None:
    """Show the progress, but only on a terminal: it is useless in a log."""
    if sys.stderr.isatty():
        print(f"\r{done} read", end="", file=sys.stderr, flush=True)
