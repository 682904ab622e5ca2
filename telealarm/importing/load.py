"""Imports a file: chooses the reader and writes the events."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.errors import TeleAlarmError
from telealarm.importing import ics, sheet
from telealarm.importing.draft import Draft, Note, Rejected
from telealarm.importing.writer import Report, Writer
from telealarm.store.engine import time_zones
from telealarm.store.engine.database import Database


@dataclass(frozen=True)
class Options:
    path: Path
    calendar: str | None = None
    user: str | None = None
    number: str | None = None
    advance_seconds: int = 0
    dry_run: bool = False


def load(
    config: Config,
    db: Database,
    options: Options,
    progress: Callable[[int], None] = lambda done: None,
) -> Report:
    """Import the file and return the report. Raises TeleAlarmError if nothing can be imported."""
    writer = Writer(config, db, calendar=options.calendar, user=options.user)
    suffix = options.path.suffix.lower()
    drafts: Iterator[Draft | Rejected | Note]
    calendar = None if options.calendar is None else writer.calendar()
    if suffix == ".csv":
        drafts = sheet.read(options.path)
    elif suffix in (".ics", ".ical"):
        if calendar is None:
            raise TeleAlarmError("name the calendar: --calendar ID, or its name")
        zone = db.run(time_zones.of_calendar, calendar)
        wish = ics.Wish(options.number, options.advance_seconds, zone, utcnow())
        drafts = ics.read(options.path, wish)
    else:
        raise TeleAlarmError(f"{options.path}: must end with .csv or .ics")
    # Read the whole file first. If it is not valid, nothing is written.
    return writer.write(list(drafts), dry_run=options.dry_run, progress=progress)
