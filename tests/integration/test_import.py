"""`telealarm import`: events and alarms from a spreadsheet or from another calendar."""

from pathlib import Path
from typing import Any

import pytest

from telealarm.config.model import Config
from telealarm.errors import TeleAlarmError
from telealarm.importing.load import Options, load
from telealarm.models import ALL
from telealarm.store.engine.database import Database
from tests.integration.api_client import Api, Clinic, clinic

HEADER = "uid,title,start,end,data.doc_name,alarm_phonenumber,advance_notice\n"


class Importing:
    """A clinic's calendar named `book`, and a file that is imported into it."""

    def __init__(self, api: Api, config: Config, made: Clinic, folder: Path) -> None:
        self.api = api
        self.made = made
        self._config = config
        self._folder = folder

    def load(
        self, text: str, kind: str = "csv", **options: Any
    ) -> tuple[dict[str, int], list[str]]:
        """What became of the events, and what was refused."""
        path = self._folder / f"file.{kind}"
        path.write_text(text, encoding="utf-8")
        asked = Options(path, **{"calendar": "book", **options})
        report = load(self._config, self.api.db, asked)
        return dict(report.counts), [f"{one.line}: {one.message}" for one in report.refused]

    async def events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.api.get("event/?page_size=100")).body["results"]
        return found

    async def alarms(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.api.get("alarm/?page_size=100")).body["results"]
        return found


async def rows(db: Database) -> int:
    return await db.read(lambda: sum(model.select().count() for model in ALL))


@pytest.fixture
async def importing(api: Api, config: Config, tmp_path: Path) -> Importing:
    return Importing(api, config, await clinic(api, timezone="Europe/Madrid"), tmp_path)


async def test_a_row_is_an_event_with_an_alarm(importing: Importing) -> None:
    done, refused = importing.load(
        HEADER
        + '1,"Visit, first",2030-01-02 10:30,2030-01-02 11:00,Smith,+34 600 100 200,3600\n'
        + "\n2,Alone,2030-07-02T08:30:00+00:00,,,,\n"
    )
    assert (done, refused) == ({"made": 2}, [])
    first, second = await importing.events()
    assert (first["title"], first["data"]) == ("Visit, first", {"doc_name": "Smith"})
    assert (first["start"], first["end"]) == (
        "2030-01-02T10:30:00+01:00",
        "2030-01-02T11:00:00+01:00",
    )
    assert second["start"] == "2030-07-02T10:30:00+02:00"
    (alarm,) = await importing.alarms()
    assert (alarm["event"], alarm["advance_notice"]) == (first["url"], 3600)
    assert alarm["alarm_phonenumber"] == "+34600100200"


async def test_each_wrong_row_is_named_and_the_others_are_imported(importing: Importing) -> None:
    done, refused = importing.load(
        HEADER
        + "1,Right,2030-01-02 10:30,,,100,\n"
        + "2,No such day,2030-02-30 10:30,,,100,\n"
        + "3,Before it begins,2030-01-02 10:30,2030-01-02 10:00,,100,\n"
        + "4,No number,2030-01-02 10:30,,,,3600\n"
        + "5,Strange number,2030-01-02 10:30,,,abc,x\n"
        + "1,The same,2030-01-02 10:30,,,100,\n"
        + "7,,2030-01-02 10:30,,,100,\n"
        + "8,No start,,,,100,\n"
        + "9,Too,many,,,100,,x,y\n"
        + f"{'u' * 201},Long,2030-01-02 10:30,,,100,\n"
        + "11,Right too,2030-01-02 10:30,,,100,\n"
    )
    assert done == {"made": 2}
    assert [event["title"] for event in await importing.events()] == ["Right", "Right too"]
    assert len(await importing.alarms()) == 2
    for (line, said), told in zip(
        [
            (3, "start: must be a date and time"),
            (4, "end: must be later than start"),
            (5, "alarm_phonenumber: this field is required"),
            (6, "alarm_phonenumber: must be a phone number"),
            (7, "uid: is that of line 2 too"),
            (8, "title: this field is required"),
            (9, "start: this field is required"),
            (10, "it has 9 cells, the first line 7"),
            (11, "uid: must be 1 to 200 characters"),
        ],
        refused,
        strict=True,
    ):
        assert told.startswith(f"{line}: ")
        assert said in told
    assert "advance_notice" in refused[3]


async def test_a_second_import_writes_what_has_changed_in_the_file(importing: Importing) -> None:
    old = HEADER + "1,One,2030-01-02 10:30,,,100,60\n2,Two,2030-01-03 10:30,,,100,60\n"
    assert importing.load(old, dry_run=True)[0] == {"made": 2}
    assert await importing.events() == []
    assert importing.load(old)[0] == {"made": 2}
    one, two = await importing.events()

    # What a manager changes here stays, until the file says something new.
    await importing.api.patch(one["url"], {"title": "Mine"})
    before = await rows(importing.api.db)
    assert importing.load(old)[0] == {"unchanged": 2}
    assert await rows(importing.api.db) == before
    new = HEADER + "2,Two,2030-01-04 10:30,,,100,120\n1,One,2030-01-02 10:30,,,100,60\n"
    assert importing.load(new)[0] == {"changed": 1, "unchanged": 1}
    titles = {event["title"]: event["start"][:10] for event in await importing.events()}
    assert titles == {"Mine": "2030-01-02", "Two": "2030-01-04"}
    assert sorted(alarm["advance_notice"] for alarm in await importing.alarms()) == [60, 120]

    await importing.api.delete(two["url"])
    newer = new.replace("2030-01-04", "2030-01-05")
    assert importing.load(newer)[0] == {"deleted here": 1, "unchanged": 1}


async def test_a_method_may_be_a_number_or_a_word(importing: Importing) -> None:
    header = "uid,title,start,method,alarm_email,alarm_phonenumber,advance_notice\n"

    def text(seconds: int) -> str:
        return (
            header
            + f"1,By mail,2030-01-02 10:30,email,a-b@example.com,,{seconds}\n"
            + f"2,By SMS,2030-01-02 10:30,2,,600 100,{seconds}\n"
            + f"3,By pigeon,2030-01-02 10:30,pigeon,,600 100,{seconds}\n"
        )

    refused = ["4: method: must be one of 1 (call), 2 (sms), 3 (email)"]
    assert importing.load(text(60)) == ({"made": 2}, refused)
    assert importing.load(text(120)) == ({"changed": 2}, refused)
    mail, sms = await importing.alarms()
    assert (mail["method"], mail["alarm_email"]) == (3, "a-b@example.com")
    assert (sms["method"], sms["alarm_phonenumber"]) == (2, "600100")
    assert (mail["advance_notice"], sms["advance_notice"]) == (120, 120)


async def test_rows_without_a_uid_are_known_by_what_they_say(importing: Importing) -> None:
    text = "title;start;alarm_phonenumber\nA;2030-01-02 10:30;100\nB;2030-01-02 10:30;100\n"
    assert importing.load(text)[0] == {"made": 2}
    assert importing.load(text)[0] == {"unchanged": 2}


async def test_a_row_may_name_its_calendar_and_its_owner_has_the_event(
    importing: Importing,
) -> None:
    theirs = await clinic(importing.api, "other")
    header = "title,start,calendar,alarm_phonenumber\n"
    book = theirs.calendar.rstrip("/").rsplit("/", 1)[1]
    text = header + f"A,2030-01-02 10:30,{book},100\nB,2030-01-02 10:30,none,100\n"
    done, refused = importing.load(
        text + "C,2030-01-02 10:30,book,100\nD,2030-01-02 10:30,,1\n", calendar=None
    )
    assert done == {"made": 1}
    assert refused == [
        "3: calendar: there is none of the name or id 'none'",
        f"4: calendar: 1, {book} have the name 'book'; say the id",
        "5: calendar: name one in this column, or with --calendar",
    ]
    assert (await importing.api.get("event/", user="other")).body["count"] == 1
    assert await importing.events() == []
    done, refused = importing.load(text, calendar="book", user="manager")
    assert done == {"made": 2}


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("titel,start\nA,2030-01-02\n", "csv", "there is no column 'titel'; title is missing"),
        ("title,title\n", "csv", "title is there twice"),
        ("", "csv", "title is missing"),
        ("rubbish", "ics", "is no iCalendar file"),
        ("BEGIN:VEVENT\nEND:VCALENDAR", "ics", "is no iCalendar file"),
        ("x", "txt", r"must end with \.csv or \.ics"),
    ],
)
async def test_what_is_no_such_file_is_said_to_be_none(
    importing: Importing, text: str, kind: str, said: str
) -> None:
    with pytest.raises(TeleAlarmError, match=said):
        importing.load(text, kind)
    assert await importing.events() == []


async def test_a_file_that_is_not_text_writes_nothing(importing: Importing, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"title,start\n" + b"A,2030-01-02 10:30\n" * 3000 + b"\xff\xfe\n")
    asked = Options(path, calendar="book")
    with pytest.raises(TeleAlarmError, match="is not UTF-8"):
        load(importing._config, importing.api.db, asked)
    assert await importing.events() == []
    with pytest.raises(TeleAlarmError, match="there is none of the name or id 'nowhere'"):
        importing.load(HEADER, calendar="nowhere")


CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:visit@example.com
SUMMARY:Visit
LOCATION:Room 4
DTSTART;TZID=America/New_York:20300106T090000
DTEND;TZID=America/New_York:20300106T093000
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-PT15M
END:VALARM
END:VEVENT
BEGIN:VEVENT
UID:day@example.com
SUMMARY:A day
DTSTART;VALUE=DATE:20300107
END:VEVENT
END:VCALENDAR
"""


async def test_an_icalendar_file_is_imported_and_followed(importing: Importing) -> None:
    done, refused = importing.load(CALENDAR, "ics", number="100")
    assert (done, refused) == ({"made": 2}, [])
    visit, day = await importing.events()
    assert (visit["start"], visit["timezone"]) == ("2030-01-06T09:00:00-05:00", "America/New_York")
    assert visit["data"] == {"location": "Room 4"}
    assert day["start"] == "2030-01-07T00:00:00+01:00"
    assert day["end"] == "2030-01-08T00:00:00+01:00"
    first, second = await importing.alarms()
    assert (first["advance_notice"], second["advance_notice"]) == (900, 0)
    assert second["date_start_notice"] == "2030-01-07T09:00:00+01:00"

    moved = CALENDAR.replace("20300106T09", "20300109T10")
    assert importing.load(moved, "ics", number="100")[0] == {"changed": 1, "unchanged": 1}
    cancelled = moved.replace("LOCATION:Room 4", "STATUS:CANCELLED")
    assert importing.load(cancelled, "ics", number="100")[0] == {"cancelled": 1, "unchanged": 1}
    assert importing.load(cancelled, "ics", number="100")[0] == {"unchanged": 2}
    visit, _ = await importing.events()
    first, _ = await importing.alarms()
    assert (visit["start"][:10], visit["status"]) == ("2030-01-09", 2)
    assert (first["status"], first["status_reason"]) == (7, "event_completed")
    assert len(await importing.alarms()) == 2
