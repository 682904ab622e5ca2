"""Files of other programs through `telealarm import`: what occurs, and when the phone rings."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine

from telealarm.cli import import_file
from telealarm.cli.main import parser
from telealarm.config.model import Config
from tests.integration.api_client import Api, clinic

CASES = Path(__file__).parent.parent / "data" / "import_cases"
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=True):
        yield


@dataclass(frozen=True)
class Imported:
    """What became of a file. Times are on the clock of the event, to the minute."""

    status: int
    printed: str
    titles: list[str]
    zones: set[str | None]
    occurs: list[str]
    rings: list[str]


async def imported(
    api: Api,
    config: Config,
    path: Path,
    capsys: pytest.CaptureFixture[str],
    number: str | None = "15550101",
) -> Imported:
    """Import the file as the command does."""
    words = ["import", str(path), "--calendar", "book"]
    if number is not None and path.suffix != ".csv":
        words += ["--number", number]
    asked = parser().parse_args(words)
    # The command would open the database once more, and take it from the API.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("telealarm.store.open.open_database", lambda config: api.db)
        status = await asyncio.to_thread(import_file.run, config, asked)
    out, err = capsys.readouterr()
    events = (await api.get("event/?page_size=100&ordering=id")).body["results"]
    occurs: set[str] = set()
    for event in events:
        told = (await api.get(f"{event['url']}occurrences/")).body["results"]
        occurs |= {minute(one["start"]) for one in told if event["parent_event"] is None}
    plan = await api.get("plan/?after=2026-11-29T12:00:00&before=2027-11-01T00:00:00")
    rings = [minute(one["at"]) for one in plan.body["results"] if one["action"] == "call"]
    return Imported(
        status,
        out + err,
        sorted({event["title"] for event in events}),
        {event["timezone"] for event in events},
        sorted(occurs),
        rings,
    )


def minute(text: str) -> str:
    """`2027-01-04T10:00:00+01:00` without its year and its seconds."""
    return f"{text[5:16]}{text[19:22]}"


WEEKLY = ["01-04T10:00+01", "01-11T10:00+01", "01-18T10:00+01", "01-25T10:00+01"]


@pytest.mark.parametrize(
    ("name", "occurs", "rings"),
    [
        ("b1-exdate-is-a-date.ics", [WEEKLY[0], WEEKLY[1], WEEKLY[3]], None),
        ("b2-utc-byday-xwr.ics", ["01-05T00:30+01", "01-12T00:30+01", "01-19T00:30+01"], None),
        ("b4-trigger-related-end.ics", ["01-10T10:00+01"], ["01-10T10:30+01"]),
        ("b5-trigger-absolute.ics", ["01-10T10:00+01"], ["01-09T17:00+01"]),
        (
            "b7-moved-occurrence-has-its-own-alarm.ics",
            [WEEKLY[0], WEEKLY[1], "01-18T12:00+01", WEEKLY[3]],
            ["01-04T09:50+01", "01-11T09:50+01", "01-18T10:00+01", "01-25T09:50+01"],
        ),
        (
            "b10-windows-zone-with-vtimezone.ics",
            ["03-27T01:30+02", "03-28T01:30+02", "03-29T01:30+03"],
            None,
        ),
        ("b12-newer-sequence-first.ics", ["01-04T12:00+01"], None),
        ("c3-a-bad-vtimezone.ics", ["01-10T10:00+01"], None),
        ("c4-folded-inside-a-character.ics", ["01-10T10:00+01"], None),
        ("c6-excel-empty-columns.csv", ["01-25T10:30+01"], None),
        ("c8-excel-sep-line.csv", ["01-25T10:30+01"], None),
        (
            "d1-rdate-without-dtend.ics",
            ["01-04T10:00+01", "01-12T10:00+01", "01-20T10:00+01"],
            None,
        ),
        ("d3-no-uid.ics", ["01-10T10:00+01"], None),
        ("g3-outlook-canceled.ics", [], []),
    ],
)
async def test_a_file_of_another_program(
    api: Api,
    config: Config,
    capsys: pytest.CaptureFixture[str],
    name: str,
    occurs: list[str],
    rings: list[str] | None,
) -> None:
    await clinic(api)
    done = await imported(api, config, CASES / name, capsys)
    assert (done.status, done.occurs) == (0, occurs), done.printed
    assert done.rings == (occurs if rings is None else rings), done.printed


async def test_one_bad_alarm_refuses_its_own_event(
    api: Api, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    await clinic(api)
    done = await imported(api, config, CASES / "c1-one-bad-trigger.ics", capsys)
    assert (done.status, done.occurs) == (1, ["01-10T10:00+01"])
    assert "c1-one-bad-trigger.ics:10: TRIGGER (line 18): '15M' is no duration" in done.printed


async def test_what_is_guessed_left_out_or_older_is_a_line_of_the_report(
    api: Api, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    await clinic(api)
    for name, said in {
        "b12-newer-sequence-first.ics": "line 11: is an older version of the event on line 4",
        "c3-a-bad-vtimezone.ics": "line 4: the VTIMEZONE 'Europe/Madrid' cannot be read",
        "d3-no-uid.ics": "line 4: has no UID: it is known by its start and title",
        "g3-outlook-canceled.ics": "line 4: the title says 'Canceled': it counts as cancelled",
    }.items():
        done = await imported(api, config, CASES / name, capsys)
        assert f"remark: {said}" in done.printed


async def test_the_text_and_the_zone_are_those_of_the_file(
    api: Api, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    await clinic(api)
    done = await imported(api, config, CASES / "b10-windows-zone-with-vtimezone.ics", capsys)
    assert done.zones <= {"Europe/Kyiv", "Europe/Kiev"}
    done = await imported(api, config, CASES / "c4-folded-inside-a-character.ics", capsys)
    assert (
        "Revisión médica con la doctora Muñoz en la habitación número veintiséis, planta baja"
        in done.titles
    )


@pytest.mark.parametrize("order", [("2", "1"), ("1", "2")])
async def test_an_older_sequence_never_wins(
    api: Api,
    config: Config,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    order: tuple[str, str],
) -> None:
    await clinic(api)
    done: Any = None
    for sequence in order:
        path = tmp_path / "file.ics"
        path.write_text(
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:u1\nSUMMARY:Check\n"
            f"DTSTART;TZID=Europe/Madrid:20270104T1{sequence}0000\nSEQUENCE:{sequence}\n"
            "END:VEVENT\nEND:VCALENDAR\n"
        )
        done = await imported(api, config, path, capsys)
    assert done.occurs == ["01-04T12:00+01"]
    assert done.rings == ["01-04T12:00+01"]
    older = "SEQUENCE 1 is older than 2, which was imported before"
    assert (older in done.printed) == (order == ("2", "1"))


START = "DTSTART;TZID=Europe/Madrid:20270104T100000"
END = "DTEND;TZID=Europe/Madrid:20270104T110000"


def file(folder: Path, *lines: str, head: str = "", more: str = "") -> Path:
    """A file with one event of these lines."""
    event = "\n".join(["BEGIN:VEVENT", "UID:u1", "SUMMARY:Check", *lines, "END:VEVENT"])
    path = folder / "file.ics"
    path.write_text(f"BEGIN:VCALENDAR\n{head}{event}\n{more}END:VCALENDAR\n")
    return path


def alarm(*lines: str) -> str:
    return "\n".join(["BEGIN:VALARM", "ACTION:DISPLAY", *lines, "END:VALARM"])


@pytest.mark.parametrize(
    ("lines", "head", "occurs", "rings"),
    [
        (
            [START, END, alarm("TRIGGER:-PT10M", "REPEAT:2", "DURATION:PT5M")],
            "",
            ["01-04T10:00+01"],
            ["01-04T09:50+01", "01-04T09:55+01", "01-04T10:00+01"],
        ),
        ([START, END, alarm("TRIGGER:PT15M")], "", ["01-04T10:00+01"], ["01-04T10:15+01"]),
        (
            [START, END, alarm("TRIGGER;RELATED=END:PT0S")],
            "",
            ["01-04T10:00+01"],
            ["01-04T11:00+01"],
        ),
        (
            ["DTSTART:20270104T100000", "RRULE:FREQ=WEEKLY;COUNT=2"],
            "X-WR-TIMEZONE:America/New_York\n",
            ["01-04T10:00-05", "01-11T10:00-05"],
            None,
        ),
        (
            ["DTSTART:20270322T233000Z", "RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=2"],
            "X-WR-TIMEZONE:Europe/Madrid\n",
            ["03-23T00:30+01", "03-30T01:30+02"],
            None,
        ),
        (
            [
                "DTSTART;TZID=Europe/Madrid:20270328T023000",
                "RRULE:FREQ=DAILY;COUNT=3",
            ],
            "",
            ["03-28T03:30+02", "03-29T02:30+02", "03-30T02:30+02"],
            None,
        ),
        (
            [
                "DTSTART;TZID=Europe/Madrid:20270328T100000",
                alarm("TRIGGER:-P1D"),
            ],
            "",
            ["03-28T10:00+02"],
            ["03-27T10:00+01"],
        ),
        (
            ["DTSTART;VALUE=DATE:20270104", alarm("TRIGGER:-PT15H")],
            "",
            ["01-04T00:00+01"],
            ["01-03T09:00+01"],
        ),
    ],
)
async def test_an_event_and_its_alarms_are_at_their_moments(
    api: Api,
    config: Config,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    lines: list[str],
    head: str,
    occurs: list[str],
    rings: list[str] | None,
) -> None:
    await clinic(api)
    done = await imported(api, config, file(tmp_path, *lines, head=head), capsys)
    assert (done.status, done.occurs) == (0, occurs), done.printed
    assert done.rings == (occurs if rings is None else rings), done.printed


async def test_a_file_that_is_cut_off_says_so_and_gives_what_it_has(
    api: Api, config: Config, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    await clinic(api)
    path = file(tmp_path, START, more="BEGIN:VEVENT\nUID:u2\n")
    path.write_text(path.read_text().removesuffix("END:VCALENDAR\n"))
    done = await imported(api, config, path, capsys)
    assert (done.status, done.occurs) == (1, ["01-04T10:00+01"])
    assert "END:VCALENDAR is missing: the file is cut off" in done.printed
