"""What the command `telealarm import` does and says."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.errors import TeleAlarmError
from telealarm.importing import ics, sheet
from telealarm.importing.draft import Draft, Rejected
from telealarm.importing.writer import Report, Writer
from telealarm.store.engine import time_zones
from telealarm.store.engine.database import Database

# So that a file of thousands of mistakes can still be read.
_SHOWN = 200


@dataclass(frozen=True)
class Options:
    path: Path
    calendar: str | None = None
    user: str | None = None
    number: str | None = None
    advance_seconds: int = 0
    dry_run: bool = False


def run(config: Config, db: Database, options: Options) -> int:
    """Import the file, and say what became of it; 1 where something was refused."""
    report = load(config, db, options)
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


def load(config: Config, db: Database, options: Options) -> Report:
    """Import the file. Raises TeleAlarmError where nothing of it can be."""
    writer = Writer(config, db, calendar=options.calendar, user=options.user)
    kind = options.path.suffix.lower()
    drafts: Iterator[Draft | Rejected]
    calendar = None if options.calendar is None else writer.calendar()
    if kind == ".csv":
        drafts = sheet.read(options.path)
    elif kind in (".ics", ".ical"):
        if calendar is None:
            raise TeleAlarmError("name the calendar: --calendar ID, or its name")
        zone = db.run(lambda: time_zones.of_calendar(calendar, ZoneInfo(config.timezone)))
        wish = ics.Wish(options.number, options.advance_seconds, zone, utcnow())
        drafts = ics.read(options.path, wish)
    else:
        raise TeleAlarmError(f"{options.path}: must end with .csv or .ics")
    # First the whole file: what is no such file has written nothing.
    return writer.write(list(drafts), dry_run=options.dry_run, progress=_progress)


def _progress(done: int) -> None:
    """On a terminal alone: a log has no use for it."""
    if sys.stderr.isatty():
        print(f"\r{done} read", end="", file=sys.stderr, flush=True)
