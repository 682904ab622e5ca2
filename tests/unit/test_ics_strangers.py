"""Calendar files of strangers: of Outlook, Google, Apple, booking programs, and broken ones."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from telealarm.importing.draft import Draft, Note, Rejected
from telealarm.importing.ics import Wish, read

NOW = datetime(2026, 11, 29, tzinfo=UTC)
WISH = Wish("100", 600, ZoneInfo("Europe/Madrid"), NOW)
MADRID = "TZID=Europe/Madrid"
START = f"DTSTART;{MADRID}:20270104T100000"
WEEKLY = "RRULE:FREQ=WEEKLY;COUNT=4"


def found(
    folder: Path, content: str | bytes, head: str = ""
) -> tuple[list[Draft], list[str], list[str]]:
    """The events of a file, what was refused and what was noted, each with its line."""
    path = folder / "calendar.ics"
    if isinstance(content, str):
        lines = f"BEGIN:VCALENDAR\nVERSION:2.0\n{head}{content}END:VCALENDAR\n"
        content = lines.replace("\n", "\r\n").encode()
    path.write_bytes(content)
    every = list(read(path, WISH))
    return (
        [one for one in every if isinstance(one, Draft)],
        [f"{one.line}: {one.message}" for one in every if isinstance(one, Rejected)],
        [f"{one.line}: {one.text}" for one in every if isinstance(one, Note)],
    )


def event(*lines: str, uid: str = "one", title: str = "Visit") -> str:
    return "\n".join(["BEGIN:VEVENT", f"UID:{uid}", f"SUMMARY:{title}", *lines, "END:VEVENT", ""])


def alarm(*lines: str) -> str:
    return "\n".join(["BEGIN:VALARM", "ACTION:DISPLAY", *lines, "END:VALARM"])


GOOD = event(START, uid="good")


def zone(tzid: str, standard: str, daylight: str, offsets: tuple[str, str]) -> str:
    """A VTIMEZONE as Outlook writes it, for a clock that changes in March and October."""
    winter, summer = offsets
    return (
        f"BEGIN:VTIMEZONE\nTZID:{tzid}\n"
        f"BEGIN:STANDARD\nDTSTART:16010101T{standard}\n"
        "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\n"
        f"TZOFFSETFROM:{summer}\nTZOFFSETTO:{winter}\nEND:STANDARD\n"
        f"BEGIN:DAYLIGHT\nDTSTART:16010101T{daylight}\n"
        "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\n"
        f"TZOFFSETFROM:{winter}\nTZOFFSETTO:{summer}\nEND:DAYLIGHT\nEND:VTIMEZONE\n"
    )


EAST, CENTRAL = ("+0200", "+0300"), ("+0100", "+0200")
OUTLOOK = "(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna"


@pytest.mark.parametrize(
    ("tzid", "head", "name", "noted"),
    [
        # A Windows name, and a VTIMEZONE that agrees with CLDR's main zone of it.
        ("FLE Standard Time", zone("FLE Standard Time", "040000", "030000", EAST), "Kiev", False),
        (
            "GTB Standard Time",
            zone("GTB Standard Time", "040000", "030000", EAST),
            "Bucharest",
            False,
        ),
        (
            "Middle East Standard Time",
            zone("Middle East Standard Time", "000000", "000000", EAST),
            "Beirut",
            False,
        ),
        # One that says something else: the clock counts.
        (
            "Middle East Standard Time",
            zone("Middle East Standard Time", "040000", "030000", EAST),
            "Famagusta",
            True,
        ),
        ("Our", zone("Our", "030000", "020000", CENTRAL), "Madrid", True),
        (
            f'"{OUTLOOK}"',
            zone(OUTLOOK.replace(",", "\\,"), "030000", "020000", CENTRAL),
            "Madrid",
            True,
        ),
        (OUTLOOK, "", "Amsterdam", True),
        (
            "FLE Standard Time",
            "BEGIN:VTIMEZONE\nTZID:FLE Standard Time\nEND:VTIMEZONE\n",
            "Kiev",
            True,
        ),
        ("FLE Standard Time", "", "Kiev", False),
        ("europe/madrid", "", "Madrid", False),
        ("/mozilla.org/20050126_1/Europe/Berlin", "", "Berlin", False),
        # An IANA name counts, whatever its VTIMEZONE says.
        ("Europe/Paris", zone("Europe/Paris", "040000", "030000", EAST), "Paris", True),
        ("Europe/Paris", "BEGIN:VTIMEZONE\nTZID:Europe/Paris\nBEGIN:STANDARD\n", "Paris", True),
        (
            "Foo",
            "BEGIN:VTIMEZONE\nTZID:Foo\nX-LIC-LOCATION:Europe/Rome\nEND:VTIMEZONE\n",
            "Rome",
            True,
        ),
        ("GMT+0100", "", "GMT-1", True),
        ("tzone://Microsoft/Utc", "", "UTC", False),
    ],
)
def test_a_zone_is_the_one_that_is_meant(
    tmp_path: Path, tzid: str, head: str, name: str, noted: bool
) -> None:
    (draft,), refused, notes = found(tmp_path, event(f"DTSTART;TZID={tzid}:20270328T100000"), head)
    assert refused == []
    assert str(draft.event["timezone"]).split("/")[-1] == name
    assert bool(notes) == noted, notes


@pytest.mark.parametrize(
    ("start", "local", "name"),
    [
        ("DTSTART:20270104T100000", "2027-01-04T10:00:00-05:00", "America/New_York"),
        ("DTSTART:20270104T150000Z", "2027-01-04T10:00:00-05:00", "America/New_York"),
        ("DTSTART;VALUE=DATE:20270104", "2027-01-04T00:00:00", "America/New_York"),
        (START, "2027-01-04T10:00:00+01:00", "Europe/Madrid"),
    ],
)
def test_the_zone_of_the_file_counts_for_times_without_one(
    tmp_path: Path, start: str, local: str, name: str
) -> None:
    head = "X-WR-TIMEZONE:America/New_York\n"
    (draft,), _, notes = found(tmp_path, event(start), head)
    assert (draft.event["start"], draft.event["timezone"], notes) == (local, name, [])


def test_a_series_without_a_zone_has_its_exceptions_on_the_same_clock(tmp_path: Path) -> None:
    lines = ("DTSTART:20270104T100000", WEEKLY, "EXDATE:20270111T100000")
    (draft,), _, notes = found(tmp_path, event(*lines), "X-WR-TIMEZONE:America/New_York\n")
    assert draft.event["exdate"] == ["2027-01-11T10:00:00-05:00"]
    assert notes == []


def test_a_series_in_utc_keeps_the_days_of_utc(tmp_path: Path) -> None:
    lines = ("DTSTART:20270104T233000Z", "RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=4")
    other = event("RECURRENCE-ID:20270111T233000Z", "DTSTART:20270112T100000Z")
    (draft,), refused, notes = found(tmp_path, event(*lines, "EXDATE:20270118T233000Z") + other)
    assert (draft.rule_timezone, draft.event["start"]) == ("UTC", "2027-01-05T00:30:00+01:00")
    assert draft.event["exdate"] == ["2027-01-19T00:30:00+01:00"]
    assert [moved.start for moved in draft.moved] == ["2027-01-12T00:30:00"]
    assert refused == []
    assert notes == ["3: repeats in UTC: in Europe/Madrid its hour changes with the clock"]


@pytest.mark.parametrize(
    ("exdate", "kept", "noted"),
    [
        ("EXDATE;VALUE=DATE:20270118", ["2027-01-18T10:00:00"], True),
        (f"EXDATE;{MADRID}:20270118T000000", ["2027-01-18T10:00:00"], True),
        ("EXDATE:20270118T000000Z", ["2027-01-18T10:00:00"], True),
        ("EXDATE:20270118T100000", ["2027-01-18T10:00:00+01:00"], False),
        ("EXDATE;TZID=Europe/London:20270118T090000", ["2027-01-18T10:00:00+01:00"], False),
        (f"EXDATE;{MADRID}:20270119T100000", None, True),
        ("EXDATE:", None, False),
    ],
)
def test_an_exdate_cancels_what_it_means(
    tmp_path: Path, exdate: str, kept: list[str] | None, noted: bool
) -> None:
    (draft,), refused, notes = found(tmp_path, event(START, WEEKLY, exdate))
    assert (draft.event.get("exdate"), refused, bool(notes)) == (kept, [], noted)


def test_exdates_of_a_whole_day_series_may_be_times(tmp_path: Path) -> None:
    lines = ("DTSTART;VALUE=DATE:20270104", WEEKLY, "EXDATE:20270111T000000Z")
    (draft,), _, _ = found(tmp_path, event(*lines, f"EXDATE;{MADRID}:20270118T000000"))
    assert draft.event["exdate"] == ["2027-01-11T00:00:00", "2027-01-18T00:00:00"]


def exception(*lines: str, of: str = f";{MADRID}:20270118T100000", title: str = "Visit") -> str:
    return event(f"RECURRENCE-ID{of}", *lines, title=title)


MOVED = f"DTSTART;{MADRID}:20270118T120000"


@pytest.mark.parametrize("of", [";VALUE=DATE:20270118", ":20270118T090000Z", ":20270118T100000"])
def test_an_exception_is_found_however_it_names_its_occurrence(tmp_path: Path, of: str) -> None:
    (draft,), refused, _ = found(tmp_path, event(START, WEEKLY) + exception(MOVED, of=of))
    assert ([moved.start for moved in draft.moved], refused) == (["2027-01-18T10:00:00"], [])


def test_an_exception_changes_only_what_it_says(tmp_path: Path) -> None:
    bare = f"BEGIN:VEVENT\nUID:one\nRECURRENCE-ID;{MADRID}:20270118T100000\n{MOVED}\nEND:VEVENT\n"
    (draft,), _, _ = found(tmp_path, event(START, WEEKLY, "DESCRIPTION:d", "LOCATION:l") + bare)
    (moved,) = draft.moved
    assert (moved.to, moved.changes) == ("2027-01-18T12:00:00+01:00", {})


def test_an_exception_that_is_also_an_exdate_happens(tmp_path: Path) -> None:
    series = event(START, WEEKLY, f"EXDATE;{MADRID}:20270118T100000")
    (draft,), _, notes = found(tmp_path, series + exception(MOVED))
    assert ("exdate" in draft.event, len(draft.moved)) == (False, 1)
    assert notes == ["10: its occurrence is also in EXDATE; it counts"]


def test_an_exception_without_its_occurrence_is_an_event_of_its_own(tmp_path: Path) -> None:
    other = exception(MOVED, of=f";{MADRID}:20270119T100000")
    drafts, refused, notes = found(tmp_path, event(START, WEEKLY) + other)
    assert sorted(draft.uid for draft in drafts) == ["one", "one#20270119T100000"]
    assert refused == []
    assert notes[0].startswith("9: replaces an occurrence that the series does not have")


def test_the_newest_version_of_an_exception_counts(tmp_path: Path) -> None:
    late = MOVED.replace("T12", "T13")
    text = event(START, WEEKLY) + exception(MOVED, "SEQUENCE:3") + exception(late, "SEQUENCE:1")
    (draft,), refused, notes = found(tmp_path, text)
    assert ([moved.to[11:13] for moved in draft.moved], refused) == (["12"], [])
    assert notes == ["16: is an older version of the event on line 9, and does not count"]


def test_versions_are_ordered_by_sequence_then_by_time_stamp(tmp_path: Path) -> None:
    late = START.replace("T10", "T12")
    new, old = "DTSTAMP:20261102T000000Z", "DTSTAMP:20261101T000000Z"
    for text, hour in (
        (event(START, new) + event(late, old), "10"),
        (event(START, old) + event(late, new), "12"),
        (event(START, old, "SEQUENCE:1") + event(late, new), "10"),
    ):
        (draft,), refused, notes = found(tmp_path, text)
        assert (draft.event["start"][11:13], refused, len(notes)) == (hour, [], 1)
    (draft,), refused, notes = found(tmp_path, event(START) + event(START))
    assert (refused, len(notes)) == ([], 1)


END = f"DTEND;{MADRID}:20270104T110000"


@pytest.mark.parametrize(
    ("lines", "rings"),
    [
        # In minutes from the start: the moment, and how much earlier it rings.
        ([END, alarm("TRIGGER;RELATED=END:-PT30M")], [(60, -30)]),
        ([alarm("TRIGGER;RELATED=END:-PT30M"), "DURATION:PT2H"], [(120, -30)]),
        ([END, alarm("TRIGGER;RELATED=END:PT15M")], [(75, 0)]),
        ([END, alarm("TRIGGER:PT15M")], [(15, 0)]),
        ([alarm("TRIGGER;VALUE=DURATION;RELATED=START:-P0DT0H30M0S")], [(0, -30)]),
        ([alarm("TRIGGER;VALUE=DATE-TIME:20270104T080000Z")], [(-60, 0)]),
        ([alarm("TRIGGER:20270103T090000Z")], [(-1440, 0)]),
        ([alarm("TRIGGER:-P1D")], [(-1440, 0)]),
        ([alarm("TRIGGER:-P1DT2H")], [(-1440, -120)]),
        ([alarm("TRIGGER:-PT24H")], [(0, -1440)]),
        ([alarm("TRIGGER:-PT10M", "REPEAT:2", "DURATION:PT5M")], [(0, -10), (0, -5), (0, 0)]),
        ([alarm("TRIGGER:-PT5M", "REPEAT:2", "DURATION:PT5M")], [(0, -5), (0, 0), (5, 0)]),
        ([alarm("TRIGGER:-PT5M"), alarm("TRIGGER:-PT1H")], [(0, -5), (0, -60)]),
    ],
)
def test_an_alarm_rings_at_its_moment(
    tmp_path: Path, lines: list[str], rings: list[tuple[int, int]]
) -> None:
    (draft,), refused, notes = found(tmp_path, event(START, *lines))
    assert (refused, notes) == ([], [])
    assert [minutes(draft, body) for body in draft.alarms] == rings


def minutes(draft: Draft, body: dict[str, Any]) -> tuple[int, int]:
    start = datetime.fromisoformat(draft.event["start"])
    moment = datetime.fromisoformat(body.get("date_start_notice", draft.event["start"]))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=start.tzinfo)
    return round((moment - start).total_seconds() / 60), -body["advance_notice"] // 60


def test_an_alarm_at_the_end_or_later_may_ring_then(tmp_path: Path) -> None:
    (draft,), _, _ = found(tmp_path, event(START, END, alarm("TRIGGER;RELATED=END:PT0S")))
    assert draft.alarms[0]["max_lateness"] == 3600


def test_days_and_whole_days_keep_the_wall_clock(tmp_path: Path) -> None:
    """The clock of Madrid changes on 28 March 2027."""
    start = f"DTSTART;{MADRID}:20270328T100000"
    (draft,), _, _ = found(tmp_path, event(start, alarm("TRIGGER:-P1D")))
    assert draft.alarms[0]["date_start_notice"] == "2027-03-27T10:00:00+01:00"
    day = ("DTSTART;VALUE=DATE:20270328", alarm("TRIGGER:PT9H"), alarm("TRIGGER:-PT15H"))
    (draft,), _, _ = found(tmp_path, event(*day))
    assert [body["date_start_notice"] for body in draft.alarms] == [
        "2027-03-28T09:00:00",
        "2027-03-27T09:00:00",
    ]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([alarm("TRIGGER;RELATED=END:-PT30M")], "the end that it counts from is missing"),
        (
            [WEEKLY, alarm("TRIGGER;VALUE=DATE-TIME:20270104T080000Z")],
            "is left out: the event recurs",
        ),
        ([alarm("TRIGGER;VALUE=DATE-TIME:19760401T005545Z")], "over a year too early"),
        (["BEGIN:VALARM", "ACTION:NONE", "TRIGGER:-PT5M", "END:VALARM"], "counts as no alarm"),
        ([alarm("TRIGGER:-PT5M", "PROXIMITY:ARRIVE")], "that depends on a place is left out"),
    ],
)
def test_an_alarm_that_cannot_ring_is_named_and_the_usual_one_rings(
    tmp_path: Path, lines: list[str], said: str
) -> None:
    (draft,), refused, notes = found(tmp_path, event(START, *lines))
    assert (refused, draft.alarms) == ([], [{"alarm_phonenumber": "100", "advance_notice": 600}])
    assert said in notes[0]


def test_repetitions_that_cannot_be_are_named(tmp_path: Path) -> None:
    (draft,), _, notes = found(tmp_path, event(START, alarm("TRIGGER:-PT5M", "REPEAT:2")))
    assert (len(draft.alarms), "rings once" in notes[0]) == (1, True)
    many = alarm("TRIGGER:-PT5M", "REPEAT:99", "DURATION:PT1M")
    (draft,), _, notes = found(tmp_path, event(START, many))
    assert (len(draft.alarms), "the first 10 count" in notes[0]) == (11, True)


def test_a_moved_occurrence_rings_by_its_own_alarms(tmp_path: Path) -> None:
    series = event(START, WEEKLY, alarm("TRIGGER:-PT10M"))
    (draft,), _, notes = found(tmp_path, series + exception(MOVED, alarm("TRIGGER:-PT2H")))
    assert draft.moved[0].alarms == [{"alarm_phonenumber": "100", "advance_notice": 7200}]
    assert notes == []
    (draft,), _, _ = found(tmp_path, series + exception(MOVED, alarm("TRIGGER:-PT10M")))
    assert draft.moved[0].alarms is None
    (draft,), _, notes = found(tmp_path, series + exception(MOVED))
    assert draft.moved[0].alarms is None
    assert "it rings as the others of its series do" in notes[0]


def test_a_bad_alarm_of_a_moved_occurrence_does_not_leave_it_at_its_old_time(
    tmp_path: Path,
) -> None:
    series = event(START, WEEKLY, alarm("TRIGGER:-PT10M"))
    (draft,), refused, _ = found(tmp_path, series + exception(MOVED, alarm("TRIGGER:2H")))
    assert [moved.to for moved in draft.moved] == ["2027-01-18T12:00:00+01:00"]
    assert refused[0].startswith("13: TRIGGER (line 20): '2H' is no duration")


def test_outlooks_whole_day_rings_at_nine(tmp_path: Path) -> None:
    lines = (START.replace("T10", "T00"), f"DTEND;{MADRID}:20270105T000000")
    (draft,), _, _ = found(tmp_path, event(*lines, "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE"))
    assert draft.alarms[0]["date_start_notice"] == "2027-01-04T09:00:00"


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (event("DTSTART:20270230T100000Z"), "3: DTSTART: '20270230T100000Z' (line 6) is no date"),
        (event("DTSTART:2027-01-04T10:00"), "3: DTSTART: '2027-01-04T10:00' (line 6) is no date"),
        (event("DTSTART:"), "3: DTSTART: '' (line 6) is no date or time"),
        (event(START, "DTSTART:20270105T100000Z"), "3: DTSTART: is there twice"),
        (event(START, "DTEND:rubbish"), "3: DTEND: 'rubbish' (line 7) is no date or time"),
        (event(START, "DURATION:1H"), "3: DURATION: '1H' is no duration"),
        (event(START, "RRULE:rubbish"), "3: RRULE: 'rubbish' (line 7) cannot be read"),
        (event(START, "RRULE:FREQ=WEEKLY;COUNT="), "3: RRULE: "),
        (event(START, "RRULE:FREQ=SOMETIMES"), "3: RRULE: 'FREQ=SOMETIMES' (line 7)"),
        (event(START, WEEKLY, "EXDATE:rubbish"), "3: EXDATE: 'rubbish' (line 8)"),
        (event(START, "RDATE:rubbish"), "3: RDATE: 'rubbish' (line 7)"),
        (event("DTSTART;TZID=Nowhere:20270104T100000"), "3: TZID: 'Nowhere' is no IANA time zone"),
        (event(START, alarm("TRIGGER:15M")), "3: TRIGGER (line 9): '15M' is no duration"),
        (event(START, alarm("DESCRIPTION:x")), "3: VALARM (line 7): has no TRIGGER"),
        (event(START, "BEGIN:VALARM\nTRIGGER:-PT5M"), "3: its END is missing"),
        (event(START).replace("END:VEVENT\n", ""), "3: its END is missing"),
        (event("RECURRENCE-ID:foo", START), "3: RECURRENCE-ID: 'foo' (line 6)"),
    ],
)
def test_one_bad_item_is_named_and_the_good_one_is_imported(
    tmp_path: Path, bad: str, said: str
) -> None:
    drafts, refused, _ = found(tmp_path, bad + GOOD)
    assert [draft.uid for draft in drafts] == ["good"]
    assert len(refused) == 1
    assert refused[0].startswith(said)


@pytest.mark.parametrize(
    "lines",
    [
        ("GEO:rubbish", "DTSTAMP:x", "PRIORITY:high", "ATTENDEE;X=:mailto:a", "URL:http://["),
        ("RRULE:", "EXDATE:", "DTEND:", "DURATION:", "RECURRENCE-ID:"),
        ("SEQUENCE:x", "STATUS:", "CLASS;", "X-FOO;;:"),
        (
            START,
            f"RECURRENCE-ID;{MADRID}:20270104T100000",
            f"RECURRENCE-ID;{MADRID}:20270104T100000",
        ),
    ],
)
def test_faults_that_do_not_matter_refuse_nothing(tmp_path: Path, lines: tuple[str, ...]) -> None:
    drafts, refused, _ = found(tmp_path, event(START, *lines))
    assert ([draft.event["start"][11:16] for draft in drafts], refused) == (["10:00"], [])


def test_a_line_that_is_no_property_is_noted(tmp_path: Path) -> None:
    drafts, refused, notes = found(tmp_path, event(START, "DESCRIPTION:a", "a line without a fold"))
    assert (len(drafts), refused, notes[0][:19]) == (1, [], "8: is no property a")


def test_a_file_that_is_cut_off_gives_its_whole_events(tmp_path: Path) -> None:
    text = f"BEGIN:VCALENDAR\n{GOOD}BEGIN:VEVENT\nUID:b\nDTSTART:2027"
    drafts, refused, _ = found(tmp_path, text.encode())
    assert [draft.uid for draft in drafts] == ["good"]
    assert [one[:20] for one in refused] == ["7: its END is missin", "1: END:VCALENDAR is "]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "latin-1"])
@pytest.mark.parametrize("newline", ["\r\n", "\n", "\r", "\n\n"])
def test_encodings_and_ends_of_lines(tmp_path: Path, encoding: str, newline: str) -> None:
    text = f"BEGIN:VCALENDAR\n{event(START, title='Señora')}END:VCALENDAR\n"
    (draft,), refused, notes = found(tmp_path, text.replace("\n", newline).encode(encoding))
    assert (draft.event["title"], refused) == ("Señora", [])
    assert bool(notes) == (encoding == "latin-1")


@pytest.mark.parametrize(
    ("lines", "end"),
    [
        ((f"DTEND;{MADRID}:20270104T100000",), None),
        (("DURATION:PT0S",), None),
        (("DTEND:20270104T110000",), "2027-01-04T11:00:00+01:00"),
        (("DTEND;VALUE=DATE:20270105",), "2027-01-05T00:00:00"),
        (("DURATION:P1D",), "2027-01-05T10:00:00+01:00"),
    ],
)
def test_the_end_of_an_event(tmp_path: Path, lines: tuple[str, ...], end: str | None) -> None:
    (draft,), refused, _ = found(tmp_path, event(START, *lines))
    assert (draft.event["end"], refused) == (end, [])


@pytest.mark.parametrize(
    ("lines", "starts"),
    [
        ((START, f"RDATE;{MADRID}:20270112T100000"), ["01-04T10:00", "01-12T10:00"]),
        (
            ("DTSTART;VALUE=DATE:20270104", "RDATE;VALUE=DATE:20270112"),
            ["01-04T00:00", "01-12T00:00"],
        ),
        ((START, "RDATE;VALUE=PERIOD:20270112T090000Z/PT30M"), ["01-04T10:00", "01-12T10:00"]),
        (("DTSTART:20270104T100000", "RDATE:20270112T100000"), ["01-04T10:00", "01-12T10:00"]),
        (
            (START, "RDATE:20270112T090000Z,20270113T090000Z"),
            ["01-04T10:00", "01-12T10:00", "01-13T10:00"],
        ),
        (("DTSTART:20270104T100000", "RDATE:20270112T090000Z"), ["01-04T10:00", "01-12T10:00"]),
        (
            (START, WEEKLY, "EXRULE:FREQ=WEEKLY;BYDAY=TU"),
            ["01-04T10:00", "01-11T10:00", "01-18T10:00", "01-25T10:00"],
        ),
        ((START, WEEKLY, "EXRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=2"), ["01-11T10:00", "01-25T10:00"]),
    ],
)
def test_dates_without_an_end(tmp_path: Path, lines: tuple[str, ...], starts: list[str]) -> None:
    drafts, refused, _ = found(tmp_path, event(*lines))
    assert ([draft.event["start"][5:16] for draft in drafts], refused) == (starts, [])
    assert all(draft.event["end"] != draft.event["start"] for draft in drafts)


def test_events_without_a_uid_are_known_by_start_and_title(tmp_path: Path) -> None:
    def bare(place: str, title: str = "Visit") -> str:
        return f"BEGIN:VEVENT\nSUMMARY:{title}\n{START}\nLOCATION:{place}\nEND:VEVENT\n"

    (first,), _, notes = found(tmp_path, bare("here"))
    (second,), _, _ = found(tmp_path, bare("there"))
    assert first.uid == second.uid
    assert notes[0].startswith("3: has no UID: it is known by its start and title")
    drafts, refused, _ = found(tmp_path, bare("here") + bare("there") + bare("x", "Other"))
    assert (len({draft.uid for draft in drafts}), refused) == (3, [])
    (draft,), refused, _ = found(tmp_path, event(START, uid="x" * 300))
    assert (len(draft.uid), refused) == (44, [])


@pytest.mark.parametrize(
    ("title", "status", "cancelled", "noted"),
    [
        ("Visit", "STATUS:CANCELLED", True, False),
        ("Visit", "STATUS:canceled", True, False),
        ("Canceled: Visit", "", True, True),
        ("Cancelled: Visit", "", True, True),
        ("Abgesagt: Besuch", "", True, True),
        ("Annulé : visite", "", True, True),
        ("Annule\u0301 : visite", "", True, True),
        ("Cancelado: visita", "", True, True),
        ("CANCELADA: visita", "", True, True),
        ("Annullato: visita", "", True, True),
        ("Cancel·lat: visita", "", True, True),
        ("Geannuleerd: bezoek", "", True, True),
        ("Odwołane: wizyta", "", True, True),
        ("Отменено: визит", "", True, True),
        ("已取消\uff1a訪問", "", True, True),
        ("Visit cancelled by phone", "", False, True),
        ("[CANCELLED] Visit", "", False, True),
        ("Visit: bring the cancellation form", "", False, False),
        ("Visit", "STATUS:CONFIRMED", False, False),
    ],
)
def test_what_is_cancelled_by_its_status_or_title(
    tmp_path: Path, title: str, status: str, cancelled: bool, noted: bool
) -> None:
    (draft,), refused, notes = found(tmp_path, event(START, status or "CLASS:PUBLIC", title=title))
    assert (draft.cancelled, bool(notes), refused) == (cancelled, noted, [])


def test_a_cancelled_title_of_an_exception_calls_off_its_occurrence(tmp_path: Path) -> None:
    text = event(START, WEEKLY) + exception(MOVED, title="Abgesagt: Visit")
    (draft,), _, _ = found(tmp_path, text)
    assert (draft.event["exdate"], draft.moved, draft.cancelled) == (
        ["2027-01-18T10:00:00"],
        [],
        False,
    )


def test_what_is_no_event_is_noted(tmp_path: Path) -> None:
    todo = "BEGIN:VTODO\nUID:t\nEND:VTODO\n"
    drafts, _, notes = found(tmp_path, todo + todo + GOOD)
    assert len(drafts) == 1
    assert notes == ["3: 2 VTODO are left out, the first here: only events count"]
    drafts, refused, _ = found(tmp_path, GOOD, "METHOD:REPLY\n")
    assert (drafts, refused[0][:16]) == ([], "1: METHOD:REPLY:")


def test_texts_that_are_too_long_are_cut_and_noted(tmp_path: Path) -> None:
    (draft,), refused, notes = found(tmp_path, event(START, title="x" * 300))
    assert (len(draft.event["title"]), refused) == (255, [])
    assert notes == ["3: SUMMARY has 300 characters; the first 255 count"]


DATES = f"RDATE;{MADRID}:20270112T100000,20270120T100000"


@pytest.mark.parametrize(
    ("exdate", "left", "noted"),
    [
        ("EXDATE;VALUE=DATE:20270112", 2, False),
        ("EXDATE:20270112T090000Z", 2, False),
        (f"EXDATE;{MADRID}:20270112T000000", 2, False),
        (f"EXDATE;{MADRID}:20270113T100000", 3, True),
    ],
)
def test_an_exdate_cancels_one_of_several_dates(
    tmp_path: Path, exdate: str, left: int, noted: bool
) -> None:
    drafts, refused, notes = found(tmp_path, event(START, DATES, exdate))
    assert (len(drafts), refused, bool(notes)) == (left, [], noted)


@pytest.mark.parametrize("of", [";VALUE=DATE:20270112", ":20270112T090000Z", ":20270112T100000"])
def test_an_exception_replaces_one_of_several_dates(tmp_path: Path, of: str) -> None:
    moved = exception(f"DTSTART;{MADRID}:20270112T150000", alarm("TRIGGER:-PT2H"), of=of)
    drafts, refused, _ = found(tmp_path, event(START, DATES) + moved)
    assert [draft.event["start"][5:16] for draft in drafts] == [
        "01-04T10:00",
        "01-12T15:00",
        "01-20T10:00",
    ]
    assert ([draft.alarms[0]["advance_notice"] for draft in drafts], refused) == (
        [600, 7200, 600],
        [],
    )


def test_a_series_that_begins_in_a_gap_of_the_clock_keeps_its_hour(tmp_path: Path) -> None:
    start = f"DTSTART;{MADRID}:20270328T023000"
    exdate = f"EXDATE;{MADRID}:20270329T023000"
    (draft,), _, notes = found(tmp_path, event(start, "RRULE:FREQ=DAILY;COUNT=3", exdate))
    assert draft.event["start"] == "2027-03-28T02:30:00"
    assert (draft.event["exdate"], notes) == (["2027-03-29T02:30:00+02:00"], [])


@pytest.mark.parametrize("start", [f"DTSTART;{MADRID}:99991231T235959", "DTSTART:99991231T235959Z"])
def test_a_start_beyond_all_calendars_refuses_its_own_event(tmp_path: Path, start: str) -> None:
    drafts, refused, _ = found(tmp_path, event(start, "RRULE:FREQ=YEARLY") + GOOD)
    assert [draft.uid for draft in drafts] == ["good"]
    assert refused == ["3: its times must lie between 1970 and 2199"]
