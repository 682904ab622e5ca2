"""Importing a file: which reader it needs, and what becomes of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.errors import TeleAlarmError
from telealarm.importing import ics, sheet
from telealarm.importing.draft import Draft, Rejected
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
        zone = db.run(time_zones.of_calendar, calendar)
        wish = ics.Wish(options.number, options.advance_seconds, zone, utcnow())
        drafts = ics.read(options.path, wish)
    else:
        raise TeleAlarmError(f"{options.path}: must end with .csv or .ics")
    # First the whole file: what is no such file has written nothing.
    return writer.write(list(drafts), dry_run=options.dry_run, progress=progress)
