"""Calendar files as another library reads them: the zone by dateutil, the rest by icalendar."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.tz import tzical
from icalendar import Calendar

from telealarm.rules.invitation import Invitation, write

START = datetime(2027, 3, 28, 0, 30, tzinfo=UTC)
INVITATION = Invitation(
    uid="event-1@x.telealarm",
    sequence=3,
    title="Visit",
    description="",
    start=START,
    end=START + timedelta(hours=3),
    zone=ZoneInfo("Europe/Madrid"),
    organizer="desk@clinic.example",
    organizer_name="The Clinic",
    attendee="ann@example.com",
    stamp=START - timedelta(days=1),
)


def unfolded(text: str) -> str:
    return text.replace("\r\n ", "")


@pytest.mark.parametrize(
    "zone",
    [
        *("Europe/Madrid", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"),
        *("Africa/Casablanca", "America/Sao_Paulo", "Pacific/Apia", "Asia/Tokyo"),
    ],
)
@pytest.mark.parametrize("month", [1, 3, 7, 10, 11])
def test_the_file_carries_its_zone_and_means_the_same_instant(zone: str, month: int) -> None:
    start = datetime(2027, month, 28, 0, 30, tzinfo=UTC)
    text = write(replace(INVITATION, zone=ZoneInfo(zone), start=start, end=start.replace(hour=9)))
    zones = tzical(io.StringIO(text))
    for name, moment in (("DTSTART", start), ("DTEND", start.replace(hour=9))):
        (line,) = [one for one in unfolded(text).split("\r\n") if one.startswith(f"{name};")]
        prefix, _, said = line.rpartition(":")
        assert prefix == f"{name};TZID={zone}"
        local = datetime.strptime(said, "%Y%m%dT%H%M%S").replace(tzinfo=zones.get(zone))
        assert local == moment


def test_utc_needs_no_zone() -> None:
    text = write(replace(INVITATION, zone=ZoneInfo("UTC")))
    assert "DTSTART:20270328T003000Z" in text
    assert "VTIMEZONE" not in text


def test_method_status_uid_and_sequence() -> None:
    for cancelled, method, status in (
        (False, "REQUEST", "CONFIRMED"),
        (True, "CANCEL", "CANCELLED"),
    ):
        calendar = Calendar.from_ical(write(replace(INVITATION, cancelled=cancelled)))
        (event,) = calendar.walk("VEVENT")
        assert (str(calendar["METHOD"]), str(event["STATUS"])) == (method, status)
        assert (str(event["UID"]), event["SEQUENCE"]) == ("event-1@x.telealarm", 3)
        assert "RECURRENCE-ID" not in event
        assert "RRULE" not in event


HOSTILE = [
    "x\r\nMETHOD:CANCEL\r\nX-EVIL:1",
    "x\nEND:VEVENT\nBEGIN:VEVENT",
    'a";X=1:b',
    "a;b,c\\n:d",
    "\u2028METHOD:CANCEL",
    "é" * 200,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_stay_texts(text: str) -> None:
    name = text.replace("\r\n", " ").replace("\n", " ")  # a name is one line before it gets here
    made = write(replace(INVITATION, title=text, description=text, organizer_name=name))
    calendar = Calendar.from_ical(made)
    assert str(calendar["METHOD"]) == "REQUEST"
    (event,) = calendar.walk("VEVENT")
    assert str(event["SUMMARY"]) == str(event["DESCRIPTION"]) == text.replace("\r\n", "\n")
    assert str(event["ORGANIZER"]).lower() == "mailto:desk@clinic.example"
    assert "X-EVIL" not in event
    for line in made.split("\r\n"):
        assert len(line.encode()) <= 75
        assert "\n" not in line
