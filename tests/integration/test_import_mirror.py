"""`telealarm import --mirror` and `telealarm import undo`: what is gone, and what is taken back."""

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from telealarm.errors import TeleAlarmError
from telealarm.importing.undo import undo
from telealarm.models import Alarm, Event
from tests.integration.import_book import MOVED, ONWARDS, PLAIN, SERIES, TODAY, Book, at

HEADER = "uid;title;start;alarm_phonenumber\n"


def rows(*days: str) -> str:
    """A visit on each of these days of January 2027."""
    lines = [f"{day};Visit {day};2027-01-{day[:2]} 10:00;15550101\n" for day in days]
    return HEADER + "".join(lines)


def calls(*days: str) -> list[str]:
    return at(*(f"{day}T10:00" for day in days))


async def test_what_is_gone_from_the_file_is_called_off(book: Book) -> None:
    book.text(rows("04", "05", "06", "07"))
    newer = rows("04", "06", "07")
    kept = book.text(newer)
    assert [text for text in kept.remarks if "not in this file" in text]
    assert await book.calls() == calls("04", "05", "06", "07")

    listed = book.text(newer, mirror=True, dry_run=True)
    assert [text for text in listed.remarks if "Visit 05: 2027-01-05 10:00 is not" in text]
    assert await book.calls() == calls("04", "05", "06", "07")

    report = book.text(newer, mirror=True)
    assert (report.held, report.counts["called off"]) == ("", 1)
    assert await book.calls() == calls("04", "06", "07")
    (gone,) = [event for event in await book.events() if event["title"] == "Visit 05"]
    (alarm,) = await book.alarms(gone)
    assert (gone["status"], alarm["status"], alarm["status_reason"]) == (2, 7, "not_in_file")

    # It is in the file again.
    back = book.text(rows("04", "05", "06", "07"), mirror=True)
    assert back.counts == {"changed": 1, "unchanged": 3}
    assert await book.calls() == calls("04", "05", "06", "07")


@pytest.mark.parametrize(
    ("newer", "said"),
    [
        (rows("04", "06"), "nothing would be left of 2027-01-05"),
        (rows("04"), "nothing would be left of 2027-01-05"),
        (HEADER, "these are all 4 events"),
    ],
)
async def test_a_whole_day_is_asked_before(book: Book, newer: str, said: str) -> None:
    old = rows("04", "05", "05b", "06")
    book.text(old)
    report = book.text(newer, mirror=True)
    assert said in report.held
    assert report.counts["called off"] == 0
    assert await book.calls() == calls("04", "05", "05", "06")


async def test_a_refused_line_calls_nothing_off(book: Book) -> None:
    book.text("title;start;alarm_phonenumber\nA;2027-01-04 10:00;100\nB;2027-01-05 10:00;100\n")
    report = book.text(
        "title;start;alarm_phonenumber\nA;2027-01-04 10:00;abc\nB;2027-01-05 10:00;100\n",
        mirror=True,
    )
    assert len(report.refused) == 1
    assert "a refused line may be one of them" in report.held
    assert len(await book.calls()) == 2


async def test_another_source_is_left_alone(book: Book) -> None:
    book.text(rows("04"), source="theirs")
    book.ics(SERIES)
    book.text(rows("05", "06"), source="ours")
    report = book.text(rows("05"), source="ours", mirror=True)
    assert report.counts["called off"] == 1
    assert await book.calls() == sorted([*calls("04", "05"), *PLAIN])


async def test_a_series_is_called_off_and_comes_back(book: Book) -> None:
    other = SERIES.replace("UID:s", "UID:other").replace("T10", "T15")
    book.ics(SERIES, MOVED, other)
    with time_machine.travel(datetime(2027, 1, 3, tzinfo=UTC), tick=False):
        await book.calls()
        book.ics(other, mirror=True)
        afternoon = [call.replace("T10", "T15") for call in PLAIN]
        assert await book.calls() == afternoon
        book.ics(SERIES, MOVED, other, mirror=True)
        expected = at("04T10:00", "12T11:00", "18T10:00", "25T10:00")
        assert await book.calls() == sorted([*expected, *afternoon])


async def state(book: Book) -> list[Any]:
    """All that counts of the events and their alarms."""

    def read() -> list[Any]:
        events = Event.select().where(Event.deleted.is_null()).order_by(Event.id)
        alarms = Alarm.select().where(Alarm.deleted.is_null()).order_by(Alarm.id)
        return [
            *((one.id, one.title, one.start, one.end, one.rule_id, one.status) for one in events),
            *((one.id, one.alarm_phonenumber, one.status, one.due) for one in alarms),
        ]

    return await book.api.db.read(read)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([SERIES], [SERIES.replace("COUNT=4", "COUNT=2").replace("SUMMARY:Check", "SUMMARY:New")]),
        ([SERIES], [SERIES, MOVED]),
        ([SERIES, MOVED], [SERIES]),
        ([SERIES], [SERIES, ONWARDS]),
        ([SERIES, ONWARDS], [SERIES]),
        ([SERIES], [SERIES.replace("RRULE:FREQ=WEEKLY;COUNT=4\n", "")]),
        ([SERIES], [SERIES + "STATUS:CANCELLED\n"]),
        ([SERIES], [SERIES.replace("UID:s", "UID:t")]),
        ([], [SERIES, MOVED]),
    ],
)
@pytest.mark.parametrize("planned", [True, False])
async def test_an_import_is_taken_back(
    book: Book, before: list[str], after: list[str], planned: bool
) -> None:
    moment = datetime(2027, 1, 3, tzinfo=UTC) if planned else TODAY
    with time_machine.travel(moment, tick=False):
        first = book.ics(*before)
        assert (first.run_id is None) == (not before)
        expected = await book.calls()
        report = book.ics(*after)
        await book.calls()
        assert report.run_id is not None
        shown = undo(book.api.db, report.run_id, dry_run=True)
        result = undo(book.api.db, report.run_id)
        assert (shown, result.left) == (result, [])
        assert await book.calls() == expected
        assert await book.occurrences() == [call.split()[0] for call in expected]
        with pytest.raises(TeleAlarmError, match="was taken back at"):
            undo(book.api.db, report.run_id)
        # And imported again.
        again = book.ics(*after)
        assert again.refused == []
        assert again.counts["deleted here"] == 0


async def test_a_mirror_is_taken_back(book: Book) -> None:
    book.text(rows("04", "05", "06"))
    before = await state(book)
    report = book.text(rows("04", "06").replace("Visit 06", "Changed"), mirror=True)
    assert report.run_id is not None
    assert undo(book.api.db, report.run_id).left == []
    assert await state(book) == before
    assert book.text(rows("04", "05", "06")).counts == {"unchanged": 3}


async def test_what_was_edited_or_called_since_is_left_and_named(book: Book) -> None:
    report = book.text(rows("04", "05", "06"))
    events = {event["title"]: event for event in await book.events()}
    await book.api.patch(events["Visit 04"]["url"], {"title": "Mine"})

    def call() -> None:
        event = Event.get(Event.title == "Visit 05")
        Alarm.update(num_attempt=1, status=5).where(Alarm.event == event).execute()

    await book.api.db.write(call)
    assert report.run_id is not None
    result = undo(book.api.db, report.run_id)
    assert result.taken_back == 1
    assert result.left == [
        "Mine at 2027-01-04 09:00Z: was changed since",
        "Visit 05 at 2027-01-05 09:00Z: was called since",
    ]
    assert sorted(event["title"] for event in await book.events()) == ["Mine", "Visit 05"]
    with pytest.raises(TeleAlarmError, match="there is no import 99"):
        undo(book.api.db, 99)
