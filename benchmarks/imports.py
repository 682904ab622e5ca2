"""How many rows a second are imported: events with their alarm, from CSV and from iCalendar.

Usage: python -m benchmarks.imports [--rows N] [--rounds N] [--database sqlite|postgresql|URL]

Without Asterisk, in this process, as `telealarm import` does it: checks, alarms and audit rows
included. The files take turns; each round has UIDs of its own. Its peer is TeleAlarm's REST API:
`benchmarks.rest_create --only telealarm`.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.lab import databases
from benchmarks.lab.meters import load
from benchmarks.lab.stages import open_stages
from telealarm.config.model import Config
from telealarm.importing.load import Options
from telealarm.importing.load import load as import_file
from telealarm.store.engine.database import Database
from telealarm.store.open import open_database
from tests.lab.key import key_file

START = datetime(2031, 1, 1, 8)
HEAD = "title,start,end,timezone,alarm_phonenumber,advance_notice,data.doc_name,uid"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=3000, help="of each file")
    parser.add_argument("--rounds", type=int, default=3)
    databases.add_option(parser)
    asyncio.run(run(**vars(parser.parse_args())))


async def run(*, rows: int, rounds: int, database: str) -> dict[str, list[float]]:
    """Return the rows a second of `csv` and `ics` in each round."""
    async with databases.databases(database) as storage:
        url = storage.new()
        async with open_stages(url) as stages:
            calendar = str(stages.calendar.id)
        return await asyncio.to_thread(measure, url, calendar, rows, rounds)


def measure(url: str, calendar: str, rows: int, rounds: int) -> dict[str, list[float]]:
    config = Config(database=url, key_file=key_file())
    db = open_database(config)
    rates: dict[str, list[float]] = {"csv": [], "ics": []}
    with tempfile.TemporaryDirectory(prefix="benchmark-import-") as folder:
        for turn in range(rounds):
            for kind, write in (("csv", write_csv), ("ics", write_ics)):
                path = Path(folder, f"{turn}.{kind}")
                write(path, rows, turn)
                rates[kind].append(timed(config, db, path, calendar, rows))
    for kind, found in rates.items():
        print(f"{kind}: {statistics.median(found):.0f} rows/s")
    return rates


def timed(config: Config, db: Database, path: Path, calendar: str, rows: int) -> float:
    """Import the file; return the rows a second. AssertionError if not all were written."""
    options = Options(
        path=path, calendar=calendar, user="manager", number="15550101", advance_seconds=3600
    )
    started, cpu = time.perf_counter(), time.process_time()
    report = import_file(config, db, options)
    seconds = time.perf_counter() - started
    spent = 1000 * (time.process_time() - cpu) / rows
    assert sum(report.counts.values()) == rows, (report.counts, report.refused[:3])
    rate = rows / seconds
    print(f"{path.name}: {rate:.0f} rows/s, {spent:.2f} CPU-ms a row  load {load()}", flush=True)
    return rate


def moments(n: int) -> tuple[datetime, datetime]:
    start = START + timedelta(minutes=30 * n)
    return start, start + timedelta(minutes=30)


def write_csv(path: Path, rows: int, turn: int) -> None:
    lines = [HEAD]
    for n in range(rows):
        start, end = moments(n)
        number = f"1555{n % 10_000_000:07}"
        uid = f"csv-{turn}-{n}"
        lines.append(
            f"Check-up,{start:%Y-%m-%d %H:%M},{end:%Y-%m-%d %H:%M},Europe/Madrid,{number},86400,"
            f"Doctor Smith,{uid}"
        )
    path.write_text("\n".join(lines) + "\n")


def write_ics(path: Path, rows: int, turn: int) -> None:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//benchmark//EN"]
    for n in range(rows):
        start, end = moments(n)
        lines += ["BEGIN:VEVENT", f"UID:ics-{turn}-{n}", "DTSTAMP:20300101T000000Z"]
        lines += [f"DTSTART:{start:%Y%m%dT%H%M%S}Z", f"DTEND:{end:%Y%m%dT%H%M%S}Z"]
        lines += ["SUMMARY:Check-up", "END:VEVENT"]
    path.write_text("\r\n".join([*lines, "END:VCALENDAR", ""]))


if __name__ == "__main__":
    main()
