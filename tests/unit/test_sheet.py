"""Sheets as Excel and others write them."""

from pathlib import Path

import pytest

from telealarm.errors import TeleAlarmError
from telealarm.importing.draft import Draft, Note, Rejected
from telealarm.importing.sheet import read

HEADER = "title,start,alarm_phonenumber"
ROW = "Visit,2027-01-25 10:30,+34600100200"
TEXT = f"{HEADER}\n{ROW}\n"


def found(folder: Path, content: str | bytes) -> tuple[list[Draft], list[str], list[str]]:
    """The rows of a file, what was refused and what was noted, each with its line."""
    path = folder / "sheet.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    every = list(read(path))
    return (
        [one for one in every if isinstance(one, Draft)],
        [f"{one.line}: {one.message}" for one in every if isinstance(one, Rejected)],
        [f"{one.line}: {one.text}" for one in every if isinstance(one, Note)],
    )


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (TEXT, 2),
        (TEXT.replace("\n", "\r\n"), 2),
        (TEXT.replace("\n", "\r"), 2),
        (TEXT.replace(",", ";"), 2),
        (TEXT.replace(",", "\t"), 2),
        (b"\xef\xbb\xbf" + TEXT.encode(), 2),
        (TEXT.replace(",", "\t").encode("utf-16"), 2),
        (TEXT.encode("utf-16-be"), 2),
        ("sep=;\r\n" + TEXT.replace(",", ";"), 3),
        (b"\xef\xbb\xbfsep=;\r\n" + TEXT.replace(",", ";").encode(), 3),
        ('"sep=;"\n' + TEXT.replace(",", ";"), 3),
        ("sep=,,\n" + TEXT, 3),
        (f"{HEADER},,\n{ROW},,\n,,,,\n", 2),
        (f"{HEADER}\n{ROW},,,\n", 2),
        ("\n\n" + TEXT, 4),
        (TEXT.replace(HEADER, "Title, START ,Alarm_Phonenumber"), 2),
        ('"title";"start";"alarm_phonenumber"\nVisit;2027-01-25 10:30;"+34600100200"\n', 2),
    ],
)
def test_a_row_is_read_however_the_table_is_written(
    tmp_path: Path, content: str | bytes, line: int
) -> None:
    (draft,), refused, notes = found(tmp_path, content)
    assert (draft.line, draft.event["title"], refused, notes) == (line, "Visit", [], [])
    assert draft.alarms == [{"alarm_phonenumber": "+34600100200"}]


def test_a_cell_below_no_name_is_noted(tmp_path: Path) -> None:
    drafts, refused, notes = found(tmp_path, f"{HEADER},,\n{ROW},call first,x\n")
    assert (len(drafts), refused) == (1, [])
    assert notes == ["2: 'call first, x' is left out: the first line has no name for its column"]


def test_a_cell_may_have_several_lines(tmp_path: Path) -> None:
    text = f'{HEADER},description\n{ROW},"a\r\nb, ""c"""\n{ROW},d\n'
    (first, second), _, _ = found(tmp_path, text)
    assert (first.event["description"], second.line) == ('a\nb, "c"', 4)


@pytest.mark.parametrize("bad", ['"Visit,2027-01-25 10:30,1', 'Visit,"2027-01-25 10:30,1'])
def test_a_quote_that_is_never_closed_refuses_its_own_line(tmp_path: Path, bad: str) -> None:
    drafts, refused, _ = found(tmp_path, f"{HEADER}\n{ROW}\n{bad}\n{ROW}2\n{ROW}3\n")
    assert [draft.line for draft in drafts] == [2, 4, 5]
    assert refused == ['3: a cell begins with " and no " ends it; correct it']


def test_a_quote_too_many_in_a_cell_stays(tmp_path: Path) -> None:
    drafts, refused, _ = found(tmp_path, f'{HEADER}\n"Visit" A,2027-01-25 10:30,1\nB"b,{ROW[6:]}\n')
    assert ([draft.event["title"] for draft in drafts], refused) == (["Visit A", 'B"b'], [])


def test_another_encoding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TeleAlarmError, match="is not UTF-8; save it as CSV UTF-8"):
        found(tmp_path, TEXT.replace("Visit", "Señora").encode("latin-1"))
