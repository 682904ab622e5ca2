"""Imports a file: chooses the reader and writes the events."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.errors import TeleAlarmError
from telealarm.importing import ics, sheet
from telealarm.importing.draft import Draft, Note, Rejected
from telealarm.importing.mirror import Gone
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
    # Call off what the source had before and has no more. Without a name, the files of one kind
    # are of one source.
    mirror: bool = False
    source: str | None = None


def load(
    config: Config,
    db: Database,
    options: Options,
    progress: Callable[[int], None] = lambda done: None,
    confirm: Callable[[Gone], bool] = lambda gone: False,
) -> Report:
    """Import the file and return the report. Raises TeleAlarmError if nothing can be imported.

    `confirm` decides whether a large part of the events may be called off.
    """
    suffix = options.path.suffix.lower()
    source = options.source or ("csv" if suffix == ".csv" else "ics")
    writer = Writer(
        config,
        db,
        calendar=options.calendar,
        user=options.user,
        source=source,
        file=str(options.path),
    )
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
    report = writer.write(list(drafts), dry_run=options.dry_run, progress=progress)
    _call_off(writer, report, options, confirm)
    return report


def _call_off(
    writer: Writer, report: Report, options: Options, confirm: Callable[[Gone], bool]
) -> None:
    """Call off the events that are not in the file, or say that they still go out."""
    gone = writer.find_gone()
    if not gone.events:
        return
    number = len(gone.events)
    if not options.mirror:
        report.remarks.append(
            f"{number} events that were imported before are ahead and not in this file; they go out"
            " (--mirror calls them off)"
        )
    elif writer.is_doubtful:
        report.remarks += gone.lines
        report.held = (
            f"{number} events are not in the file; they are not called off, because a refused line"
            " may be one of them: correct it"
        )
    elif gone.doubt and not options.dry_run and not confirm(gone):
        report.remarks += gone.lines
        report.held = (
            f"{number} events are not in the file, and {gone.doubt}; they are not called off:"
            " look at them and run it again with --yes"
        )
    else:
        if gone.doubt:
            report.remarks.append(f"{gone.doubt}: without --yes this is asked before")
        writer.call_off(gone, dry_run=options.dry_run)
