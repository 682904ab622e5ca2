"""A second import of the same source: what it changes, and what it leaves."""

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

CASES = Path(__file__).parent.parent / "data" / "cases"
TODAY = datetime(2026, 11, 29, 12, tzinfo=UTC)


class Book:
    """A calendar, the files that are imported into it, and the calls that follow."""

    def __init__(self, api: Api, config: Config, folder: Path) -> None:
        self.api = api
        self._config = config
        self._folder = folder

    def case(self, name: str, **options: Any) -> Report:
        """Import a file of tests/data/cases."""
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


@pytest.mark.parametrize(
    ("case", "kind", "calls"),
    [
        ("a1-csv-number-corrected", "csv", ["2027-01-25T10:30 +34600100299"]),
        ("a3-series-becomes-single", "ics", ["2027-01-04T11:00 15550101"]),
        (
            "a4-this-and-future-after-plain",
            "ics",
            [f"2027-01-{day} 15550101" for day in ("04T10:00", "11T12:00", "18T12:00")],
        ),
        ("a6-rdate-moved", "ics", [f"2027-01-{day}T10:00 15550101" for day in ("04", "13")]),
    ],
)
async def test_the_old_calls_do_not_stand(
    book: Book, case: str, kind: str, calls: list[str]
) -> None:
    assert book.case(f"{case}-1.{kind}").refused == []
    await book.calls()
    report = book.case(f"{case}-2.{kind}")
    assert report.refused == []
    assert await book.calls() == calls
    assert await book.occurrences() == [call.split()[0] for call in calls]
    assert report.remarks
    # Once more, and back again.
    assert not book.case(f"{case}-2.{kind}").counts["changed"]
    assert await book.calls() == calls
    book.case(f"{case}-1.{kind}")
    book.case(f"{case}-2.{kind}")
    assert await book.calls() == calls


async def test_an_alarm_of_a_whole_day_stays_at_nine(book: Book) -> None:
    """The clock is put on on 28 March 2027."""
    assert book.case("b8-all-day-series-on-the-clock-change.ics").refused == []
    expected = [f"2027-{day}T09:00 15550101" for day in ("03-21", "03-28", "04-04")]
    assert await book.calls() == expected
    with time_machine.travel(datetime(2027, 3, 20, 12, tzinfo=UTC), tick=False):
        for _ in range(3):
            assert await book.calls() == expected


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


@pytest.mark.parametrize(
    ("before", "after", "calls"),
    [
        ([SERIES], [SERIES.replace("COUNT=4", "COUNT=2")], PLAIN[:2]),
        ([SERIES], [SERIES.replace("COUNT=4", "UNTIL=20270112T000000Z")], PLAIN[:2]),
        ([SERIES], [SERIES + "EXDATE;TZID=Europe/Madrid:20270111T100000\n"], PLAIN[:1] + PLAIN[2:]),
        ([SERIES + "EXDATE;TZID=Europe/Madrid:20270111T100000\n"], [SERIES], PLAIN),
        ([SERIES], [SERIES, MOVED], at("04T10:00", "12T11:00", "18T10:00", "25T10:00")),
        ([SERIES, MOVED], [SERIES], PLAIN),
        # The first occurrence, moved and moved back.
        (
            [SERIES, MOVED.replace("20270111T10", "20270104T10")],
            [SERIES],
            PLAIN,
        ),
        # The same exception in another form.
        (
            [SERIES, MOVED],
            [SERIES, MOVED.replace(";TZID=Europe/Madrid:20270111T100000", ":20270111T090000Z")],
            at("04T10:00", "12T11:00", "18T10:00", "25T10:00"),
        ),
        ([SERIES, ONWARDS], [SERIES], PLAIN),
        ([SERIES], [SERIES, ONWARDS], at("04T10:00", "11T12:00", "18T12:00", "25T12:00")),
        (
            [SERIES.replace("RRULE:FREQ=WEEKLY;COUNT=4\n", "")],
            [SERIES],
            PLAIN,
        ),
        (
            [SERIES],
            [SERIES.replace("T10", "T09")],
            [call.replace("T10", "T09") for call in PLAIN],
        ),
        (
            [SERIES],
            [SERIES.replace("20270104T", "20270105T")],
            at(*(f"{day}T10:00" for day in ("05", "12", "19", "26"))),
        ),
        # Its rule becomes a list of dates.
        (
            [SERIES],
            [
                SERIES.replace(
                    "RRULE:FREQ=WEEKLY;COUNT=4", "RDATE;TZID=Europe/Madrid:20270112T100000"
                )
            ],
            at("04T10:00", "12T10:00"),
        ),
        (
            [
                SERIES.replace(
                    "RRULE:FREQ=WEEKLY;COUNT=4", "RDATE;TZID=Europe/Madrid:20270111T100000"
                )
            ],
            [SERIES.replace("RRULE:FREQ=WEEKLY;COUNT=4\n", "")],
            PLAIN[:1],
        ),
        ([SERIES], [SERIES + "STATUS:CANCELLED\n"], []),
        ([SERIES + "STATUS:CANCELLED\n"], [SERIES], PLAIN),
    ],
)
@pytest.mark.parametrize("planned", [True, False])
async def test_a_series_is_as_the_newer_file_has_it(
    book: Book, before: list[str], after: list[str], calls: list[str], planned: bool
) -> None:
    assert book.ics(*before).refused == []
    if planned:
        with time_machine.travel(datetime(2027, 1, 3, tzinfo=UTC), tick=False):
            await book.calls()
            report = book.ics(*after)
            assert await book.calls() == calls
    else:
        report = book.ics(*after)
    assert report.refused == []
    assert await book.calls() == calls
    assert await book.occurrences() == sorted(call.split()[0] for call in calls)
    # There and back.
    book.ics(*before)
    book.ics(*after)
    assert await book.calls() == calls


async def test_the_newest_clock_counts(book: Book) -> None:
    """Three zones whose clocks changed in 2026."""
    assert book.case("b14-clock-of-the-newest-tzdata.csv").refused == []
    starts = {event["title"]: event["start"] for event in await book.events()}
    assert starts == {
        "Casablanca": "2027-01-05T08:00:00+00:00",
        "Vancouver": "2027-01-05T08:00:00-07:00",
        "Winnipeg": "2027-01-05T08:00:00-05:00",
    }


async def test_only_a_superuser_sees_which_clock_is_in_use(book: Book) -> None:
    for login in ({"user": None}, {"user": "manager"}):
        reply = await book.api.get("/readyz", **login)  # type: ignore[arg-type]
        assert (reply.status, "tzdata" in reply.body) == (200, False)
    reply = await book.api.get("/readyz", user="root")
    assert reply.body["tzdata"].startswith("20")
