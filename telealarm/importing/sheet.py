"""Reads a CSV file: each row is an event with an alarm. The columns are fields of the API."""

import hashlib
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from telealarm.api.resources.alarms import AlarmForm
from telealarm.api.resources.events import EventForm
from telealarm.errors import TeleAlarmError
from telealarm.importing import encoding
from telealarm.importing.csv_table import Table
from telealarm.importing.draft import NO_UID, Draft, Note, Rejected, is_uid

_EXTRA = ("uid", "calendar", "rrule")
_EVENT = tuple(set(EventForm.model_fields) - {"calendar", "rule", "exdate", "data", "creator"})
_ALARM = tuple(set(AlarmForm.model_fields) - {"event", "status", "timezone"})
_RECIPIENT = "recipient_timezone"
_DATA = "data."
_JSON = ("retry_policy",)


def read(path: Path) -> Iterator[Draft | Rejected | Note]:
    """Yield the events of the file. Raises TeleAlarmError if it is no table with these columns."""
    try:
        text = encoding.decode(path.read_bytes())
    except OSError as error:
        raise TeleAlarmError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise TeleAlarmError(f"{path} is not UTF-8; save it as CSV UTF-8") from None
    table = Table(text)
    first, cells = next(table.rows(), (1, []))
    if isinstance(cells, str):
        raise TeleAlarmError(f"{path}:{first}: {cells}; save it as CSV again")
    header = [_column(cell) for cell in cells]
    _check_header(path, first, header)
    for line, row in itertools.islice(table.rows(), 1, None):
        if isinstance(row, str):
            yield Rejected(line, row)
        elif any(cell.strip() for cell in row):
            yield from _row(line, header, row)


def _column(cell: str) -> str:
    """Return the name of a column. Capital letters do not count, except in a placeholder."""
    name = cell.strip()
    return name if name.lower().startswith(_DATA) else name.lower()


def _check_header(path: Path, line: int, header: list[str]) -> None:
    known = {*_EXTRA, *_EVENT, *_ALARM, _RECIPIENT, ""}
    strange = [name for name in header if name not in known and not name.startswith(_DATA)]
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if strange or twice or "title" not in header:
        wrong = [f"there is no column {name!r}" for name in strange]
        wrong += [f"{name} is there twice" for name in twice]
        wrong += ["title is missing"] if "title" not in header else []
        raise TeleAlarmError(
            f"{path}:{line}: {'; '.join(wrong)}. Columns are title, start, end and other fields of"
            " an event, alarm_phonenumber and other fields of an alarm, data.NAME for a"
            f" placeholder, {', '.join(_EXTRA)} and {_RECIPIENT}"
        )


def _row(line: int, header: list[str], cells: list[str]) -> Iterator[Draft | Rejected | Note]:
    """Yield the event of a row. Cells without a value do not count."""
    if any(cell.strip() for cell in cells[len(header) :]):
        text = f"it has {len(cells)} cells, the first line {len(header)}; quote it"
        yield Rejected(line, text)
        return
    pairs = [(name, cell.strip()) for name, cell in zip(header, cells, strict=False)]
    row = {name: cell for name, cell in pairs if name and cell}
    nameless = [cell for name, cell in pairs if cell and not name]
    if nameless:
        texts = ", ".join(nameless)
        yield Note(line, f"{texts!r} is left out: the first line has no name for its column")
    yield _draft(line, row)


def _draft(line: int, row: dict[str, str]) -> Draft | Rejected:
    uid = row.get("uid") or _uid(row)
    if not is_uid(uid):
        return Rejected(line, f"uid: {NO_UID}")
    if "start" not in row:
        return Rejected(line, "start: this field is required, like 2030-01-02 10:30", uid)
    event: dict[str, Any] = {name: row[name] for name in _EVENT if name in row}
    event.setdefault("end", None)  # an hour after the start, also if the start has changed
    data = {n.removeprefix(_DATA): cell for n, cell in row.items() if n.startswith(_DATA)}
    if data:
        event["data"] = data
    if "rrule" in row and "end_recurring_period" not in row:
        event["end_recurring_period"] = None
    alarm: dict[str, Any] = {name: row[name] for name in _ALARM if name in row}
    if _RECIPIENT in row:
        alarm["timezone"] = row[_RECIPIENT]
    for name in _JSON:
        if name in alarm:
            try:
                alarm[name] = json.loads(alarm[name])
            except ValueError:
                return Rejected(line, f"{name}: must be a JSON object", uid)
    return Draft(
        line=line,
        uid=uid,
        event=event,
        alarms=[alarm] if alarm else [],
        calendar=row.get("calendar"),
        rrule=row.get("rrule"),
    )


def _uid(row: dict[str, str]) -> str:
    """Return a UID for a row without one. The same row always gets the same UID."""
    text = json.dumps(row, sort_keys=True).encode()
    return f"csv-{hashlib.sha256(text).hexdigest()[:40]}"
