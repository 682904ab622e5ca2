"""Asterisk's own records tell what became of a call that nobody saw end."""

import sqlite3
from pathlib import Path

import pytest

from telealarm.asterisk.cdr import Cdr, CdrError, find

ROW = (
    '"","5550100","{number}","telealarm-out","","PJSIP/trunk-1","","Stasis","","","","",9,{bill},'
    '"{word}","DOCUMENTATION","{id}",""\n'
)


def row(channel: str, word: str = "ANSWERED", bill: int = 0, number: str = "1") -> str:
    return ROW.format(id=channel, word=word, bill=bill, number=number)


def test_the_latest_record_of_a_channel_is_found_in_the_csv_file(tmp_path: Path) -> None:
    file = tmp_path / "Master.csv"
    file.write_text(row("ta-x-1", "NO ANSWER") + row("ta-x-11") + row("ta-x-1", bill=7) + row("z"))
    assert find(str(file), "ta-x-1") == Cdr("ANSWERED", 7)
    assert find(str(file), "ta-x-2") is None


def test_a_channel_id_in_another_column_is_not_its_record(tmp_path: Path) -> None:
    file = tmp_path / "Master.csv"
    file.write_text(row("other", number="ta-x-1"))
    assert find(str(file), "ta-x-1") is None


def test_a_record_is_found_across_the_blocks_that_are_read(tmp_path: Path) -> None:
    file = tmp_path / "Master.csv"
    filler = row("filler") * 4000
    with file.open("w") as out:
        for number in range(12):
            out.write(filler + row(f"ta-x-{number}", bill=number))
    assert file.stat().st_size > 4 << 20
    for number in range(12):
        assert find(str(file), f"ta-x-{number}") == Cdr("ANSWERED", number)


def test_before_the_first_call_there_is_no_file_and_no_record(tmp_path: Path) -> None:
    assert find(str(tmp_path / "Master.csv"), "ta-x-1") is None


def test_a_table_tells_the_same(tmp_path: Path) -> None:
    file = tmp_path / "cdr.db"
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE calls (uniqueid TEXT, disposition TEXT, billsec INT)")
        database.execute("INSERT INTO calls VALUES ('ta-x-1', 'BUSY', 0)")
    database.close()
    assert find(f"sqlite:///{file}?table=calls", "ta-x-1") == Cdr("BUSY", 0)
    assert find(f"sqlite:///{file}?table=calls", "ta-x-2") is None
    with pytest.raises(CdrError, match="no table's name"):
        find(f"sqlite:///{file}?table=calls%22;--", "ta-x-1")
    with pytest.raises(CdrError, match="cannot be read"):
        find(f"sqlite:///{file}?table=other", "ta-x-1")
