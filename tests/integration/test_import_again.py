"""A second import of the same source: what it changes, and what it leaves."""

from datetime import UTC, datetime

import pytest
import time_machine

from tests.integration.import_book import MOVED, ONWARDS, PLAIN, SERIES, Book, at


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
