"""Public holidays of countries and regions, beside a list of dates."""

import subprocess
import sys
from datetime import date

import pytest

from telealarm.rules import public_holidays
from telealarm.rules.public_holidays import Holidays


@pytest.mark.parametrize(
    ("regions", "day", "free"),
    [
        ("DE", date(2026, 10, 3), True),
        ("DE", date(2026, 6, 4), False),
        ("DE-BY", date(2026, 6, 4), True),  # Corpus Christi
        ("ES-MD", date(2026, 5, 2), True),
        ("ES", date(2026, 5, 2), False),
        ("AT,ES-MD", date(2026, 5, 2), True),
        ("AT,ES-MD", date(2026, 10, 26), True),
        ("", date(2026, 12, 25), False),
        ("US-CA", date(2030, 7, 4), True),
    ],
)
def test_a_day_is_a_holiday_of_a_region(regions: str, day: date, free: bool) -> None:
    assert (day in Holidays(frozenset(), public_holidays.read(regions))) is free


def test_the_list_counts_beside_the_regions() -> None:
    days = Holidays(frozenset({date(2026, 3, 3)}), ("DE-BY",))
    assert date(2026, 3, 3) in days and date(2026, 12, 25) in days
    assert date(2026, 3, 4) not in days


def test_codes_are_read_in_any_case_and_once() -> None:
    assert public_holidays.read(" de-by, AT ,DE-BY,") == ("DE-BY", "AT")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("BAVARIA", "like DE-BY,AT"),
        ("DE-XX", "the regions of DE are: DE-BB, DE-BE, DE-BW, DE-BY"),
        ("DE-", "the regions of DE are"),
        ("DEU", "ISO 3166"),
        ("XX", "'XX' is not known"),
        ("DE-BY;AT", "'DE-BY;AT' is not known"),
        ("DE-Augsburg", "DE-BY"),
    ],
)
def test_a_wrong_code_is_told_what_is_right(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        public_holidays.read(text)


def test_the_package_is_imported_only_if_it_is_needed() -> None:
    code = "import sys, telealarm.service; sys.exit('holidays' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
