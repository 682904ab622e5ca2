"""A calendar into which files are imported, and the calls that follow. `book` is in conftest.py."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.importing.load import Options, load
from telealarm.importing.writer import Report
from telealarm.planning.series import SeriesPlanner
from tests.integration.api_client import Api, clinic, id_of

CASES = Path(__file__).parent.parent / "data" / "import_cases"
TODAY = datetime(2026, 11, 29, 12, tzinfo=UTC)


class Book:
    """A calendar, the files that are imported into it, and the calls that follow."""

    def __init__(self, api: Api, config: Config, folder: Path) -> None:
        self.api = api
        self._config = config
        self._folder = folder

    def case(self, name: str, **options: Any) -> Report:
        """Import a file of tests/data/import_cases."""
        number = None if name.endswith(".csv") else "15550101"
        return self.load(CASES / name, **{"number": number, **options})

    def text(self, text: str, kind: str = "csv", **options: Any) -> Report:
        path = self._folder / f"file.{kind}"
        path.write_text(text, encoding="utf-8")
        return self.load(path, **options)

    def ics(self, *events: str, **options: Any) -> Report:
        """Import VEVENTs, each as its lines without BEGIN and END."""
        return self.text(calendar(*events), "ics", **{"number": "15550101", **options})

    def load(self, path: Path, **options: Any) -> Report:
        return load(self._config, self.api.db, Options(path, calendar="book", **options))

    async def calls(self, days: int = 360) -> list[str]:
        """What plan/ says is called: when, and which number."""
        await SeriesPlanner(self.api.db).step()
        before = (utcnow() + timedelta(days=days)).isoformat().replace("+00:00", "Z")
        reply = await self.api.get(f"plan/?page_size=1000&before={before}")
        assert reply.status == 200, reply.text
        rows = [row for row in reply.body["results"] if row["action"] != "skip"]
        return sorted(f"{row['at'][:16]} {row['number']}" for row in rows)

    async def occurrences(self) -> list[str]:
        """The starts of all occurrences that are listed, of events that are not over."""
        found: set[str] = set()
        for event in (await self.api.get("event/?page_size=1000")).body["results"]:
            if event["parent_event"] is None and event["status"] == 1:
                page = (await self.api.get(f"{event['url']}occurrences/?limit=50")).body["results"]
                found |= {one["start"][:16] for one in page}
        return sorted(found)

    async def events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.api.get("event/?page_size=1000")).body["results"]
        return found

    async def alarms(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        path = f"alarm/?event={id_of(event['url'])}"
        found: list[dict[str, Any]] = (await self.api.get(path)).body["results"]
        return found


def calendar(*events: str) -> str:
    """A calendar file of these VEVENTs."""
    parts = [
        f"BEGIN:VEVENT\nDTSTAMP:20261101T000000Z\n{event.strip()}\nEND:VEVENT\n" for event in events
    ]
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//t//EN\n{''.join(parts)}END:VCALENDAR\n"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(TODAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
async def book(clock: time_machine.Traveller, api: Api, config: Config, tmp_path: Path) -> Book:
    await clinic(api, timezone="Europe/Madrid")
    return Book(api, config, tmp_path)


SERIES = """UID:s
SUMMARY:Check
DTSTART;TZID=Europe/Madrid:20270104T100000
DTEND;TZID=Europe/Madrid:20270104T103000
RRULE:FREQ=WEEKLY;COUNT=4
"""
MOVED = """UID:s
SUMMARY:Check
RECURRENCE-ID;TZID=Europe/Madrid:20270111T100000
DTSTART;TZID=Europe/Madrid:20270112T110000
DTEND;TZID=Europe/Madrid:20270112T113000
"""
ONWARDS = MOVED.replace("RECURRENCE-ID;", "RECURRENCE-ID;RANGE=THISANDFUTURE;").replace(
    "20270112T11", "20270111T12"
)


def at(*moments: str, number: str = "15550101") -> list[str]:
    return [f"2027-01-{moment} {number}" for moment in moments]


PLAIN = at("04T10:00", "11T10:00", "18T10:00", "25T10:00")
