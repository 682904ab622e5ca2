"""What is read from an iCalendar file."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from telealarm.importing.draft import Draft, Rejected
from telealarm.importing.ics import Wish, read

NOW = datetime(2027, 1, 1, tzinfo=UTC)
WISH = Wish("100", 600, ZoneInfo("Europe/Madrid"), NOW)
CUSTOM = """BEGIN:VTIMEZONE
TZID:Our office
BEGIN:STANDARD
DTSTART:19701101T020000
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700308T020000
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU
END:DAYLIGHT
END:VTIMEZONE
"""


def found(
    folder: Path, events: str, *, head: str = "", wish: Wish = WISH
) -> tuple[list[Draft], list[Rejected]]:
    """What a file with these events holds. Their first line is the third, after `head`."""
    path = folder / "calendar.ics"
    path.write_text(f"BEGIN:VCALENDAR\nVERSION:2.0\n{head}{events}END:VCALENDAR\n")
    every = list(read(path, wish))
    return (
        [one for one in every if isinstance(one, Draft)],
        [one for one in every if isinstance(one, Rejected)],
    )


def event(*lines: str, uid: str = "one") -> str:
    return "\n".join(["BEGIN:VEVENT", f"UID:{uid}", "SUMMARY:Visit", *lines, "END:VEVENT", ""])


@pytest.mark.parametrize(
    ("start", "head", "local", "zone"),
    [
        ("DTSTART;TZID=America/New_York:20270106T090000", "", "09:00:00-05:00", "America/New_York"),
        (
            "DTSTART;TZID=W. Europe Standard Time:20270106T090000",
            "",
            "09:00:00+01:00",
            "Europe/Berlin",
        ),
        (
            "DTSTART;TZID=/freeassociation.sourceforge.net/Europe/Rome:20270106T090000",
            "",
            "09:00:00+01:00",
            "Europe/Rome",
        ),
        ("DTSTART;TZID=Our office:20270106T090000", CUSTOM, "09:00:00-05:00", "America/Detroit"),
        ("DTSTART:20270106T090000", "", "09:00:00", None),
        ("DTSTART:20270106T080000Z", "", "09:00:00+01:00", None),
        (
            "DTSTART:20270106T080000Z",
            "X-WR-TIMEZONE:Asia/Tokyo\n",
            "17:00:00+09:00",
            "Asia/Tokyo",
        ),
        ("DTSTART;VALUE=DATE:20270106", "", "00:00:00", None),
    ],
)
def test_a_start_keeps_its_clock(
    tmp_path: Path, start: str, head: str, local: str, zone: str | None
) -> None:
    (draft,), refused = found(tmp_path, event(start), head=head)
    assert refused == []
    assert (draft.event["start"], draft.event["timezone"]) == (f"2027-01-06T{local}", zone)


def test_a_series_keeps_its_rule_and_its_exceptions(tmp_path: Path) -> None:
    zone = "TZID=America/New_York"
    (draft,), refused = found(
        tmp_path,
        event(
            f"DTSTART;{zone}:20270106T090000",
            "DURATION:PT30M",
            "RRULE:FREQ=WEEKLY;BYDAY=WE;COUNT=10",
            f"EXDATE;{zone}:20270113T090000",
            "EXDATE:20270120T140000Z",
        )
        + event(f"RECURRENCE-ID;{zone}:20270127T090000", "STATUS:CANCELLED")
        + event(
            f"RECURRENCE-ID;{zone}:20270203T090000",
            f"DTSTART;{zone}:20270204T110000",
            f"DTEND;{zone}:20270204T120000",
            "DESCRIPTION:Moved",
        ),
    )
    assert refused == []
    assert draft.rrule == "FREQ=WEEKLY;COUNT=10;BYDAY=WE"
    assert draft.event["end"] == "2027-01-06T09:30:00-05:00"
    assert draft.event["end_recurring_period"] is None
    assert draft.event["exdate"] == [
        "2027-01-13T09:00:00-05:00",
        "2027-01-20T09:00:00-05:00",
        "2027-01-27T09:00:00",
    ]
    (moved,) = draft.moved
    assert (moved.start, moved.to) == ("2027-02-03T09:00:00", "2027-02-04T11:00:00-05:00")
    assert moved.changes == {"description": "Moved", "end": "2027-02-04T12:00:00-05:00"}


def test_what_is_no_single_rule_becomes_events_of_the_next_year(tmp_path: Path) -> None:
    drafts, refused = found(
        tmp_path,
        event("DTSTART:20261201T090000Z", "RRULE:FREQ=MONTHLY", "RDATE:20270115T090000Z"),
    )
    assert refused == []
    days = [draft.event["start"][:10] for draft in drafts]
    assert days[:3] == ["2027-01-01", "2027-01-15", "2027-02-01"]
    assert (len(days), days[-1]) == (14, "2028-01-01")
    assert drafts[1].uid == "one#20270115T090000Z"
    assert all(draft.rrule is None for draft in drafts)
    assert "import it again" in drafts[0].remark


@pytest.mark.parametrize(
    ("lines", "alarms"),
    [
        (["DTSTART:20270106T090000Z"], [("advance_notice", 600)]),
        (
            ["DTSTART:20270106T090000Z", "BEGIN:VALARM", "TRIGGER:-PT15M", "END:VALARM"],
            [("advance_notice", 900)],
        ),
        (
            ["DTSTART:20270106T090000Z", "BEGIN:VALARM", "TRIGGER;RELATED=END:-PT1M", "END:VALARM"],
            [("advance_notice", 600)],
        ),
        (
            ["DTSTART;VALUE=DATE:20270106"],
            [("advance_notice", 600), ("date_start_notice", "2027-01-06T09:00:00")],
        ),
    ],
)
def test_its_alarms_ring_the_number(
    tmp_path: Path, lines: list[str], alarms: list[tuple[str, object]]
) -> None:
    (draft,), _ = found(tmp_path, event(*lines))
    assert draft.alarms == [{"alarm_phonenumber": "100", **dict(alarms)}]
    silent = Wish(None, 0, WISH.zone, NOW)
    assert found(tmp_path, event(*lines), wish=silent)[0][0].alarms == []


def test_each_event_that_is_wrong_is_named_by_its_line(tmp_path: Path) -> None:
    drafts, refused = found(
        tmp_path,
        event("DTSTART:rubbish", uid="1")
        + event("DTEND:20270106T090000Z", uid="2")
        + event("DTSTART;TZID=Nowhere:20270106T090000", uid="3")
        + event("DTSTART:20270106T090000Z", "RRULE:FREQ=FOO", uid="4")
        + event("DTSTART:20270106T090000Z", uid="")
        + event("DTSTART:20270106T090000Z", uid="6")
        + event("DTSTART:20270107T090000Z", uid="6"),
    )
    assert sorted(draft.event["start"][:10] for draft in drafts) == ["2027-01-06", "2027-01-07"]
    told = {one.line: one.message for one in refused}
    assert sorted(told) == [3, 8, 13, 18, 29]
    assert told[3].startswith("DTSTART: ")
    assert told[8] == "DTSTART: must be there"
    assert told[13] == "TZID: 'Nowhere' is no IANA time zone; write one like Europe/Madrid"
    assert told[18].startswith("RRULE: ")
    assert told[29] == "UID 6 is there again on line 34; keep one"


def test_a_cancelled_event_is_cancelled(tmp_path: Path) -> None:
    (draft,), _ = found(tmp_path, event("DTSTART:20270106T090000Z", "STATUS:CANCELLED"))
    assert draft.cancelled
    (draft,), _ = found(tmp_path, event("DTSTART:20270106T090000Z"), head="METHOD:CANCEL\n")
    assert draft.cancelled


@pytest.mark.long
def test_a_rule_without_end_is_not_walked(tmp_path: Path) -> None:
    drafts, _ = found(
        tmp_path,
        event("DTSTART:20261201T090000Z", "RRULE:FREQ=SECONDLY", "RDATE:20270115T090000Z"),
    )
    assert len(drafts) == 500
