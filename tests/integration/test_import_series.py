"""Series from another calendar: their rule, their exceptions, and the occurrences that follow."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import icalendar
import pytest
import recurring_ical_events

from telealarm.config.model import Config
from telealarm.importing.load import Options, load
from tests.integration.api_client import Api, clinic

SERIES = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:series
SUMMARY:Class
DTSTART;TZID=America/New_York:20300306T090000
DTEND;TZID=America/New_York:20300306T093000
RRULE:FREQ=WEEKLY;COUNT=6;BYDAY=WE
EXDATE;TZID=America/New_York:20300320T090000
END:VEVENT
BEGIN:VEVENT
UID:series
RECURRENCE-ID;TZID=America/New_York:20300327T090000
SUMMARY:Class elsewhere
DTSTART;TZID=America/New_York:20300328T110000
DTEND;TZID=America/New_York:20300328T120000
END:VEVENT
BEGIN:VEVENT
UID:series
RECURRENCE-ID;TZID=America/New_York:20300403T090000
STATUS:CANCELLED
SUMMARY:Class
DTSTART;TZID=America/New_York:20300403T090000
END:VEVENT
END:VCALENDAR
"""
FROM, TO = datetime(2030, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)


def loaded(api: Api, config: Config, folder: Path, text: str) -> tuple[dict[str, int], list[Any]]:
    path = folder / "series.ics"
    path.write_text(text)
    report = load(config, api.db, Options(path, calendar="book", number="100"))
    return dict(report.counts), report.refused


async def occurrences(api: Api) -> list[tuple[datetime, datetime]]:
    """By the API, of the event that recurs."""
    parent = (await api.get("event/?ordering=id")).body["results"][0]
    found = (await api.get(f"{parent['url']}occurrences/")).body["results"]
    return [tuple(datetime.fromisoformat(one[name]) for name in ("start", "end")) for one in found]  # type: ignore[misc]


async def test_the_occurrences_are_those_of_the_file(
    api: Api, config: Config, tmp_path: Path
) -> None:
    await clinic(api)
    assert loaded(api, config, tmp_path, SERIES) == ({"made": 1}, [])
    expected = [
        (one["DTSTART"].dt, one["DTEND"].dt)
        for one in recurring_ical_events.of(icalendar.Calendar.from_ical(SERIES)).between(FROM, TO)
        if one.get("STATUS") != "CANCELLED"
    ]
    assert len(expected) == 4
    assert await occurrences(api) == sorted(expected)
    titles = [one["title"] for one in (await api.get("event/")).body["results"]]
    assert sorted(titles) == ["Class", "Class elsewhere"]

    assert loaded(api, config, tmp_path, SERIES) == ({"unchanged": 1}, [])
    changed = SERIES.replace("20300328T11", "20300329T10").replace("20300328T12", "20300329T12")
    assert loaded(api, config, tmp_path, changed) == ({"changed": 1}, [])
    assert datetime(2030, 3, 29, 14, tzinfo=UTC) in [start for start, _ in await occurrences(api)]
    assert len(await occurrences(api)) == 4
    assert (await api.get("rule/?name=FREQ=WEEKLY;COUNT=6;BYDAY=WE")).body["count"] == 1


@pytest.mark.parametrize("rule", ["FREQ=SECONDLY", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"])
async def test_a_rule_that_cannot_be_used_is_refused(
    api: Api, config: Config, tmp_path: Path, rule: str
) -> None:
    await clinic(api)
    text = SERIES.split("BEGIN:VEVENT")[1].replace("FREQ=WEEKLY;COUNT=6;BYDAY=WE", rule)
    done, refused = loaded(
        api, config, tmp_path, f"BEGIN:VCALENDAR\nBEGIN:VEVENT{text}END:VCALENDAR\n"
    )
    assert done == {}
    assert [one.line for one in refused] == [2]
    assert (await api.get("event/")).body["count"] == 0
    assert (await api.get("rule/")).body["count"] == (await api.get("rule/", user="other")).body[
        "count"
    ]
