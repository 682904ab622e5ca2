"""Dates and times in words, by language."""

from datetime import date, datetime

import pytest

from telealarm.rules import spoken_dates

TODAY = date(2027, 1, 4)


@pytest.mark.parametrize(
    ("language", "day", "clock"),
    [
        ("en", "Wednesday, January 6", "7:05 PM"),
        ("en-GB", "Wednesday 6 January", "7:05 PM"),
        ("es", "miércoles, 6 de enero", "19:05"),
        ("es-MX", "miércoles, 6 de enero", "7:05 p.m."),
        ("de", "Mittwoch, 6. Januar", "19:05"),
        ("fr", "mercredi 6 janvier", "19:05"),
        ("ca", "dimecres, 6 de gener", "19:05"),
        ("ru", "среда, 6 января", "19:05"),
    ],
)
def test_a_day_and_a_time_in_the_words_of_a_language(language: str, day: str, clock: str) -> None:
    moment = datetime(2027, 1, 6, 19, 5)
    assert spoken_dates.day(moment, language, TODAY) == day
    assert spoken_dates.clock(moment, language) == clock


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "12:00 AM"), ("es", "0 horas"), ("fr", "0 heure"), ("de", "00:00"), ("ca", "0 hores")],
)
def test_a_full_hour(language: str, said: str) -> None:
    assert spoken_dates.clock(datetime(2027, 1, 6), language) == said


def test_the_year_is_said_where_it_is_another() -> None:
    last = date(2026, 12, 31)
    assert spoken_dates.day(datetime(2027, 1, 6), "en", last) == "Wednesday, January 6, 2027"
    assert spoken_dates.day(datetime(2027, 1, 6), "es", last) == "miércoles, 6 de enero de 2027"


@pytest.mark.parametrize("language", ["tlh", "xx-YY", "", "../en", "en-"])
def test_a_language_that_is_none_is_said_in_english(language: str) -> None:
    assert spoken_dates.day(datetime(2027, 1, 6), language, TODAY) == "Wednesday, January 6"
    assert spoken_dates.clock(datetime(2027, 1, 6, 12, 30), language) == "12:30 PM"
