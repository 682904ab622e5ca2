"""What was cancelled, moved or answered here stays so when the source is imported again."""

from datetime import UTC, datetime

import pytest
import time_machine

from telealarm.models import Alarm
from tests.integration.import_book import MOVED, ONWARDS, PLAIN, SERIES, TODAY, Book, at

HEADER = "uid;title;start;alarm_phonenumber;advance_notice\n"
ROW = HEADER + "A;Visit;2027-01-25 10:30;+34600100200;0\n"


# Another number, hour, day, title, and other changes of the file.
NEWER = [
    ROW.replace("200;0", "299;0"),
    ROW.replace("10:30", "11:30"),
    ROW.replace("-25", "-26"),
    ROW.replace("Visit", "Check"),
    ROW.replace(";0\n", ";3600\n"),
]


@pytest.mark.parametrize("newer", NEWER)
async def test_a_cancelled_alarm_stays_cancelled(book: Book, newer: str) -> None:
    book.text(ROW)
    (event,) = await book.events()
    (alarm,) = await book.alarms(event)
    await book.api.patch(alarm["url"], {"status": 7})
    assert book.text(newer).refused == []
    assert await book.calls() == []
    book.text(ROW)
    assert await book.calls() == []


@pytest.mark.parametrize("newer", NEWER)
async def test_a_completed_or_deleted_event_stays_so(book: Book, newer: str) -> None:
    book.text(ROW)
    (event,) = await book.events()
    await book.api.patch(event["url"], {"status": 2})
    assert book.text(newer).refused == []
    assert await book.calls() == []
    await book.api.delete(event["url"])
    book.text(ROW)
    assert await book.calls() == []


@pytest.mark.parametrize("newer", [NEWER[0], NEWER[3], NEWER[4]])
async def test_an_answered_alarm_is_not_asked_again(book: Book, newer: str) -> None:
    book.text(ROW)
    await book.api.db.write(
        lambda: Alarm.update(status=5, num_attempt=1, result=1, due=None).execute()
    )
    report = book.text(newer)
    assert report.refused == []
    assert await book.calls() == []


async def test_another_time_is_asked_again(book: Book) -> None:
    book.text(ROW)
    await book.api.db.write(
        lambda: Alarm.update(status=5, num_attempt=1, result=1, due=None).execute()
    )
    report = book.text(ROW.replace("10:30", "11:30"))
    assert [text for text in report.remarks if "is notified again" in text]
    assert await book.calls() == ["2027-01-25T11:30 +34600100200"]


async def test_a_wrong_number_that_nobody_answered_is_corrected(book: Book) -> None:
    book.text(ROW.replace(";0\n", ";5184000\n"))
    await book.api.db.write(lambda: Alarm.update(status=3, num_attempt=1, due=None).execute())
    book.text(ROW.replace("200;0", "299;5184000"))
    assert [call.split()[1] for call in await book.calls()] == ["+34600100299"]


async def test_what_was_edited_here_stays_if_the_file_has_not_changed_it(book: Book) -> None:
    book.text(ROW)
    (event,) = await book.events()
    (alarm,) = await book.alarms(event)
    await book.api.patch(event["url"], {"title": "Mine", "description": "a note"})
    await book.api.patch(alarm["url"], {"maxretry": 3})
    await book.api.made("alarm/", {"event": event["url"], "alarm_phonenumber": "555"})
    book.text(ROW.replace("200;0", "299;0"))
    (event,) = await book.events()
    alarms = await book.alarms(event)
    assert (event["title"], event["description"]) == ("Mine", "a note")
    assert [(one["alarm_phonenumber"], one["maxretry"]) for one in alarms] == [
        ("+34600100299", 3),
        ("555", 0),
    ]
    await book.api.delete(alarm["url"])
    book.text(ROW.replace("200;0", "288;0"))
    assert await book.calls() == ["2027-01-25T10:30 555"]


SHAPES = {
    "title": ([SERIES], [SERIES.replace("Check", "Visit")], PLAIN),
    "hour": ([SERIES], [SERIES.replace("T10", "T09")], [c.replace("T10", "T09") for c in PLAIN]),
    "rule": ([SERIES], [SERIES.replace("COUNT=4", "UNTIL=20270119T000000Z")], PLAIN[:3]),
    "onwards": (
        [SERIES],
        [SERIES, ONWARDS.replace("20270111", "20270118").replace("T12", "T12")],
        at("04T10:00", "11T10:00", "18T12:00", "25T12:00"),
    ),
    "dates": (
        [SERIES],
        [
            SERIES.replace(
                "RRULE:FREQ=WEEKLY;COUNT=4",
                "RDATE;TZID=Europe/Madrid:20270111T100000,20270118T100000",
            )
        ],
        PLAIN[:3],
    ),
    "of dates": (
        [SERIES.replace("RRULE:FREQ=WEEKLY;COUNT=4", "RDATE;TZID=Europe/Madrid:20270111T100000")],
        [SERIES],
        PLAIN,
    ),
    "moved": ([SERIES], [SERIES, MOVED], at("04T10:00", "12T11:00", "18T10:00", "25T10:00")),
    "moved back": ([SERIES, MOVED], [SERIES], PLAIN),
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("planned", [True, False])
@pytest.mark.parametrize("how", ["cancel", "alarm"])
async def test_a_cancelled_occurrence_stays_cancelled(
    book: Book, name: str, planned: bool, how: str
) -> None:
    """The one of 11 January, by `cancel_occurrence` or its alarm, before or after it is a row."""
    before, after, calls = SHAPES[name]
    moment = datetime(2027, 1, 5, tzinfo=UTC) if planned else TODAY
    book.ics(*before)
    with time_machine.travel(moment, tick=False):
        await book.calls()
        (where, event_url) = await _occurrence(book)
        if how == "cancel" and where is not None:
            place = {"start": "2027-01-11 10:00"}
            done = await book.api.post(f"{where}cancel_occurrence/", place)
        elif event_url is not None:
            (alarm,) = await book.alarms({"url": event_url})
            done = await book.api.patch(alarm["url"], {"status": 7})
        else:
            return  # it is no row yet, and has no alarm of its own
        assert done.status == 200, done.text
        assert book.ics(*after).refused == []
        expected = [call for call in calls if call[8:10] not in ("11", "12")]
        expected = [call for call in expected if not planned or call[8:10] != "04"]
        assert await book.calls() == expected


async def _occurrence(book: Book) -> tuple[str | None, str | None]:
    """The series of the occurrence of 11 or 12 January, and its event."""
    for event in await book.events():
        if event["parent_event"] is None:
            series = event["url"] if event["rule"] else None
            for one in (await book.api.get(f"{event['url']}occurrences/")).body["results"]:
                if one["start"][:10] in ("2027-01-11", "2027-01-12"):
                    return series, one["event"]
    raise AssertionError("there is no such occurrence")
